"""The check of destinations, by what happened to results; nobody is called for it."""

from cli.common.checks import from_database, unknown
from cli.common.console import local_time
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_destinations(settings: Settings) -> CheckResult:
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
        return CheckResult("results", True, "no destination: none leaves by itself")
    faults, warnings = [], []
    for row in rows:
        count = counts.get(row.number)
        if count is None:
            continue
        if count.given_up:
            faults.append(f"{row.name}: {count.given_up} results were given up")
        if count.last_error and count.oldest:
            since = local_time(count.oldest, settings)
            faults.append(f"{row.name}: {count.waiting} wait since {since} ({count.last_error})")
        if count.uncommitted:
            warnings.append(f"{row.name}: {count.uncommitted} are not committed yet.")
    names = ", ".join(row.name for row in rows)
    return CheckResult(
        "results",
        not faults,
        "; ".join(faults) or f"go to {names}",
        "See `readfirst destinations waiting`, try by `readfirst destinations test NAME`, and then "
        "`readfirst destinations send-again NAME`.",
        warning=" ".join(warnings),
    )
