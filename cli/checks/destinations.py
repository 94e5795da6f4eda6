"""The check of destinations, by what happened to results; nobody is called for it."""

from cli.common.checks import from_database, unknown
from cli.common.console import local_time
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_results(settings: Settings) -> CheckResult:
    """See whether results were given up, or wait for a destination that does not take them."""
    from db.destinations.queries import all_destinations, destination_counts

    answer = from_database(
        settings, lambda session: (all_destinations(session), destination_counts(session))
    )
    if answer is None:
        return unknown("results")
    destinations, counts = answer
    rows = [row for row in destinations if row.enabled]
    if not rows:
        return CheckResult("results", True, gettext("no destination: none leaves by itself"))
    faults, warnings = [], []
    for row in rows:
        count = counts.get(row.number)
        if count is None:
            continue
        if count.given_up:
            text = gettext("{name}: {count} results were given up")
            faults.append(text.format(name=row.name, count=count.given_up))
        if count.last_error and count.oldest:
            text = gettext("{name}: {count} wait since {time} ({reason})")
            since = local_time(count.oldest, settings)
            faults.append(
                text.format(name=row.name, count=count.waiting, time=since, reason=count.last_error)
            )
        if count.uncommitted:
            text = gettext("{name}: {count} are not committed yet.")
            warnings.append(text.format(name=row.name, count=count.uncommitted))
    names = ", ".join(row.name for row in rows)
    return CheckResult(
        "results",
        not faults,
        "; ".join(faults) or gettext("go to {names}").format(names=names),
        gettext(
            "See `readfirst destinations waiting`, try by `readfirst destinations test NAME`, and "
            "then `readfirst destinations send-again NAME`."
        ),
        warning=" ".join(warnings),
    )
