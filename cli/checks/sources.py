"""A check of `doctor`: whether the archives answered when they were last asked."""

from cli.common.checks import from_database, unknown
from cli.common.console import local_time
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_sources(settings: Settings) -> CheckResult:
    """See whether the sources that films are fetched from answered last time."""
    from db.pacs.sources import source_records

    records = from_database(settings, source_records)
    if records is None:
        return unknown("sources")
    if not records:
        return CheckResult("sources", True, "none (`readfirst sources add`)")
    failing = [record for record in records if record.failing_since is not None]
    if not failing:
        names = ", ".join(record.source.name for record in records)
        return CheckResult("sources", True, names)
    text = " ".join(
        f"{record.source.name} since {local_time(record.failing_since, settings)}: "
        f"{record.last_error}"
        for record in failing
        if record.failing_since is not None
    )
    # A warning: that an archive is off makes no part of ReadFirst unhealthy.
    warning = f"{text} `readfirst sources test {failing[0].source.name}` tries again."
    return CheckResult("sources", True, f"{len(failing)} of {len(records)} fail", warning=warning)
