"""Intake and work on films, as `readfirst doctor` sees them."""

from cli.common.checks import answer_text, from_database, unknown
from cli.common.console import local_time
from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult


def check_intake(settings: Settings) -> CheckResult:
    """See whether the ingester finds something in the inbox that it cannot take."""
    from db.inbox.inbox_issues import inbox_issues

    left = from_database(settings, inbox_issues)
    if left is None:
        return unknown("intake")
    if not left:
        return CheckResult("intake", True, gettext("nothing is left in the inbox"))
    summary = gettext("{count} left in the inbox; the first: {reason}")
    summary = summary.format(count=len(left), reason=left[0].reason)
    return CheckResult("intake", False, summary, gettext("See `readfirst inbox`."))


def check_work(settings: Settings) -> CheckResult:
    """See whether a fault of the machine stops the work on films."""
    from db.work_faults import delayed_films, work_faults

    answer = from_database(settings, lambda session: (work_faults(session), delayed_films(session)))
    if answer is None:
        return unknown("work")
    faults, delayed = answer
    if faults:
        since = gettext("since {time}: {fault}")
        found = " ".join(
            since.format(time=local_time(fault.since, settings), fault=fault.sentence)
            for fault in faults
        )
        return CheckResult("work", False, found, " ".join(fault.advice for fault in faults))
    return CheckResult(
        "work", True, gettext("goes on"), warning=delayed.sentence if delayed else ""
    )


def check_broker(settings: Settings) -> CheckResult:
    """See whether Redis or Valkey answers."""
    from cli.supervisor import is_up
    from readfirst.tasks.broker import broker_answers

    where = gettext("configured") if settings.broker_url else gettext("embedded")
    well = broker_answers(settings)
    if settings.broker_url:
        advice = gettext("Check READFIRST_BROKER_URL, and that the server runs.")
    elif not well and is_up(settings.home_path):
        advice = gettext(
            "`readfirst up` tries again and again to start it, and says why it does not start; "
            "so does {file}. Often the disk is full."
        ).format(file=settings.home_path / "valkey" / "valkey.log")
    else:
        advice = gettext("Start it with `readfirst up`, or set READFIRST_BROKER_URL.")
    return CheckResult("broker", well, f"{where}, {answer_text(well)}", advice)


def check_reading(_: Settings) -> CheckResult:
    """See by which means of the kernel the process that reads a file is shut in."""
    from ingest.reader import sandbox

    means = sandbox.means()
    missing = (
        [] if sandbox.landlock_version() else [gettext("Landlock: Linux 5.13 or later, enabled")]
    )
    if not sandbox.has_seccomp():
        missing.append(gettext("seccomp: the library libseccomp (package libseccomp2)"))
    warning = gettext("A hostile file is less well shut in. Not here: {parts}.")
    found = gettext("a process for each file, shut in by {means}").format(
        means=gettext(" and ").join(means) or gettext("its memory limit alone")
    )
    shortage = warning.format(parts="; ".join(missing)) if missing else ""
    return CheckResult("reading", True, found, warning=shortage)
