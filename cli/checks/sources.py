"""A check of `doctor`: whether the archives answered when they were last asked."""

from cli.common.checks import from_database, unknown
from cli.common.console import local_time
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_sources(settings: Settings) -> CheckResult:
    """See whether the sources that films are fetched from answered last time."""
    from db.pacs.sources import source_records

    records = from_database(settings, source_records)
    if records is None:
        return unknown("sources")
    if not records:
        return CheckResult("sources", True, gettext("none (`readfirst sources add`)"))
    failing = [record for record in records if record.failing_since is not None]
    if not failing:
        names = ", ".join(record.source.name for record in records)
        return CheckResult("sources", True, names)
    since = gettext("{name} since {time}: {reason}")
    text = " ".join(
        since.format(
            name=record.source.name,
            time=local_time(record.failing_since, settings),
            reason=record.last_error,
        )
        for record in failing
        if record.failing_since is not None
    )
    # A warning: that an archive is off makes no part of ReadFirst unhealthy.
    again = gettext("`readfirst sources test {name}` tries again.")
    warning = f"{text} {again.format(name=failing[0].source.name)}"
    summary = gettext("{count} of {all} fail").format(count=len(failing), all=len(records))
    return CheckResult("sources", True, summary, warning=warning)
