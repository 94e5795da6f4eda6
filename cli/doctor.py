"""`doctor`: is everything in place, and what to do where it is not."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cli.checks.destinations import check_destinations
from cli.checks.hl7 import check_hl7
from cli.checks.sources import check_sources
from cli.common.checks import from_database, unknown
from cli.common.console import err, local_time, notice, out, print_json
from readfirst.errors import Misconfigured, ReadFirstError, Unavailable
from readfirst.files.folders import make_inbox, make_private_folder
from readfirst.settings import Settings, load_settings, unknown_settings
from readfirst.site.checks import CheckResult


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
    fix_rights: Annotated[
        bool,
        typer.Option(
            "--fix-rights",
            help="Take from other users of this machine every right to what ReadFirst keeps.",
        ),
    ] = False,
    send_test_mail: Annotated[
        bool,
        typer.Option(
            "--send-test-mail",
            help="Send a mail to those who are told of escalations, or of nights.",
        ),
    ] = False,
) -> None:
    """Check settings, folders, disk, database, broker, listener and weights; say what to do."""
    settings = load_settings()
    if fix_rights:
        _fix_rights(settings)
    if send_test_mail:
        _send_test_mail(settings)
    results = [check(settings) for check in CHECKS]
    if json:
        print_json(results)
    else:
        for result in results:
            out().print(
                Text("✓", "green") if result.well else Text("✗", "red"),
                Text(f"{result.name:9} {result.found}"),
            )
            if not result.well:
                out().print(Text(f"  → {result.advice}", "yellow"))
            if result.warning:
                out().print(Text(f"  ! {result.warning}", "yellow"))
    if not all(result.well for result in results):
        raise typer.Exit(1)


def check_settings(settings: Settings) -> CheckResult:
    """Reaching this point, they are valid; show which ones were chosen, and what is none."""
    chosen = ", ".join(sorted(f"READFIRST_{name.upper()}" for name in settings.model_fields_set))
    warning = " ".join(unknown.sentence for unknown in unknown_settings())
    return CheckResult("settings", True, chosen or "all at their defaults", warning=warning)


def check_scope(settings: Settings) -> CheckResult:
    """See whether the rules of what may be scored can be read, and each has an effect."""
    from ingest.scope.scope_rules import load_rules
    from ingest.scope.unused_patterns import unused_patterns

    try:
        rules = load_rules(settings.scope)
    except Misconfigured as error:
        return CheckResult(
            "scope", False, str(error), "Set it right; docs/reference/scope.md says how."
        )
    found = str(settings.scope or "the rules that come with ReadFirst")
    warning = " ".join(unused.sentence for unused in unused_patterns(rules))
    return CheckResult("scope", True, found, warning=warning)


def check_home(settings: Settings) -> CheckResult:
    """See whether everything can be written where ReadFirst keeps it."""
    home = settings.home_path
    return _writable("home", home, "READFIRST_HOME", make_private_folder(home))


def check_rights(settings: Settings) -> CheckResult:
    """See whether other users of this machine can look into what ReadFirst keeps."""
    from cli.common.rights import open_to_others

    opened = list(open_to_others(settings))
    if not opened:
        return CheckResult("rights", True, "nobody else on this machine reads the home folder")
    warning = (
        f"Other users of this machine may look into {opened[0].path} ({opened[0].mode:03o}). "
        "`readfirst doctor --fix-rights` takes that right away."
    )
    found = f"{len(opened)} files and folders are open to others"
    return CheckResult("rights", True, found, warning=warning)


def check_inbox(settings: Settings) -> CheckResult:
    """See whether files can be claimed in the drop folder."""
    home, inbox = settings.home_path, settings.inbox_path
    return _writable("inbox", inbox, "READFIRST_INBOX", make_inbox(home, inbox))


def check_disk(settings: Settings) -> CheckResult:
    """See whether there is room for intake."""
    from ingest.inbox.disk import intake_disk_space

    room = intake_disk_space(settings)
    return CheckResult(
        "disk",
        room.enough,
        f"{room.free / 1024**3:.1f} GiB free at {room.folder}",
        f"{room.sentence} Make room, or move READFIRST_HOME or READFIRST_INBOX to a larger disk.",
    )


def check_left(settings: Settings) -> CheckResult:
    """See whether the ingester finds something in the inbox that it cannot take."""
    from db.inbox.inbox_issues import inbox_issues

    left = from_database(settings, inbox_issues)
    if left is None:
        return unknown("intake")
    if not left:
        return CheckResult("intake", True, "nothing is left in the inbox")
    summary = f"{len(left)} left in the inbox; the first: {left[0].reason}"
    return CheckResult("intake", False, summary, "See `readfirst inbox`.")


def check_work(settings: Settings) -> CheckResult:
    """See whether a fault of the machine stops the work on films."""
    from db.work_faults import delayed_films, work_faults

    answer = from_database(settings, lambda session: (work_faults(session), delayed_films(session)))
    if answer is None:
        return unknown("work")
    faults, delayed = answer
    if faults:
        found = " ".join(
            f"since {local_time(fault.since, settings)}: {fault.sentence}" for fault in faults
        )
        return CheckResult("work", False, found, " ".join(fault.advice for fault in faults))
    return CheckResult("work", True, "goes on", warning=delayed.sentence if delayed else "")


def check_database(settings: Settings) -> CheckResult:
    """See whether the database answers, with the schema of this release."""
    from db.database_roles import alterable_history
    from db.migrate import is_current
    from db.session import open_database

    database = open_database(settings.database)
    kind = database.engine.url.get_backend_name()
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        if is_current(database):
            warning = _of_one_role(alterable_history(database))
            return CheckResult("database", True, f"{kind}, schema up to date", warning=warning)
        advice = "Start any part of ReadFirst once: it brings the schema up to date."
        return CheckResult("database", False, f"{kind}, schema missing or old", advice)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        advice = "Check READFIRST_DATABASE_URL, and that the server runs and lets this user in."
        return CheckResult("database", False, f"{kind} does not answer: {reason}", advice)
    finally:
        database.dispose()


def _of_one_role(tables: Sequence[str]) -> str:
    """A warning where the application's role could change history; else nothing."""
    if not tables:
        return ""
    return (
        f"The role in READFIRST_DATABASE_URL owns {', '.join(tables)}, or is a superuser: whoever "
        "has it can change what nobody should. Let another role own them: `readfirst migrate` "
        "with READFIRST_DATABASE_OWNER_URL."
    )


def check_broker(settings: Settings) -> CheckResult:
    """See whether Redis or Valkey answers."""
    from cli.supervisor import is_up
    from readfirst.tasks.broker import broker_answers

    where = "configured" if settings.broker_url else "embedded"
    well = broker_answers(settings)
    if settings.broker_url:
        advice = "Check READFIRST_BROKER_URL, and that the server runs."
    elif not well and is_up(settings.home_path):
        advice = (
            "`readfirst up` tries again and again to start it, and says why it does not start; "
            f"so does {settings.home_path / 'valkey' / 'valkey.log'}. Often the disk is full."
        )
    else:
        advice = "Start it with `readfirst up`, or set READFIRST_BROKER_URL."
    return CheckResult(
        "broker", well, f"{where}, {'answers' if well else 'does not answer'}", advice
    )


def check_reading(_: Settings) -> CheckResult:
    """See by which means of the kernel the process that reads a file is shut in."""
    from ingest.reader import sandbox

    means = sandbox.means()
    missing = [] if sandbox.landlock_version() else ["Landlock: Linux 5.13 or later, enabled"]
    if not sandbox.has_seccomp():
        missing.append("seccomp: the library libseccomp (package libseccomp2)")
    warning = "A hostile file is less well shut in. Not here: " + "; ".join(missing) + "."
    return CheckResult(
        "reading",
        True,
        f"a process for each file, shut in by {' and '.join(means) or 'its memory limit alone'}",
        warning=warning if missing else "",
    )


def check_listener(settings: Settings) -> CheckResult:
    """See whether the DICOM listener may run as it is set, and answers."""
    from ingest.receivers.listener_config import listener_config, reachable_host

    if not settings.receive:
        return CheckResult("listener", True, "off (READFIRST_RECEIVE)")
    try:
        config = listener_config(settings)
    except ReadFirstError as error:
        return CheckResult("listener", False, str(error), "Change the setting, and start it again.")
    where = f"{config.ae_title} on {config.host}:{config.port}"
    if config.port == 0:
        return CheckResult("listener", True, f"{where}: any free port, named in its log")
    well = _answers(reachable_host(config.host), config.port)
    advice = "Start it with `readfirst up` or `readfirst receive`, and see its log."
    return CheckResult(
        "listener", well, f"{where} {'answers' if well else 'does not answer'}", advice
    )


def check_page(settings: Settings) -> CheckResult:
    """See who may look at the page, and whether passwords cross the network as they are."""
    from db.access.accounts import any_account
    from ingest.receivers.listener_config import is_loopback
    from worklist.security.access_policy import check_may_listen

    def is_closed(session: Session) -> bool:
        check_may_listen(settings, session)
        return settings.auth == "required" or any_account(session)

    try:
        closed = from_database(settings, is_closed)
    except ReadFirstError as error:
        return CheckResult("page", False, str(error), "Then start it again.")
    if closed is None:
        return CheckResult("page", True, "see the database")
    access = "by log-in" if closed else "open to whoever is on this machine"
    bare = not (is_loopback(settings.host) or settings.tls_certificate or settings.trusted_proxies)
    return CheckResult(
        "page",
        not bare,
        f"{access}, on {settings.host}" + (" without TLS" if bare else ""),
        "Set READFIRST_TLS_CERTIFICATE and READFIRST_TLS_KEY, or put a proxy with TLS before it "
        "and name that in READFIRST_TRUSTED_PROXIES.",
    )


def check_escalation(settings: Settings) -> CheckResult:
    """See whether the mail server lets ReadFirst in, and whether messages wait or were given up."""
    from db.lifecycle.outbox import Channel, outbox_counts
    from worker.delivery.mail import mail_server, night_mail_server, try_server

    if settings.escalate_after_minutes is None and not settings.nightly_mail_to:
        return CheckResult("messages", True, "no escalation (READFIRST_ESCALATE_AFTER_MINUTES)")
    counts = (
        from_database(
            settings, lambda session: [outbox_counts(session, channel) for channel in Channel]
        )
        or []
    )
    given_up = sum(each.given_up for each in counts)
    failed = [each for each in counts if each.last_error]
    warning = f"{given_up} messages were given up after days. " if given_up else ""
    if failed:
        waiting = sum(each.waiting for each in failed)
        warning += f"{waiting} wait after a failed attempt ({failed[0].last_error})."
    found = _messages(settings)
    server = mail_server(settings) or night_mail_server(settings)
    if server is None:
        return CheckResult("messages", True, found, warning=warning)
    attempt = try_server(server)
    where = f"{found}; {server.host}:{server.port} ({server.security})"
    return CheckResult(
        "messages",
        attempt.taken,
        f"{where} {'answers' if attempt.taken else f'failed: {attempt.outcome}'}",
        "Check READFIRST_SMTP_HOST, _PORT, _SECURITY, _USER and the password; "
        "`readfirst doctor --send-test-mail` sends a mail.",
        warning=warning.strip(),
    )


def _messages(settings: Settings) -> str:
    """Say which messages there are."""
    minutes = settings.escalate_after_minutes
    parts = [f"escalation after {minutes} min by {settings.escalate_by}"] if minutes else []
    return "; ".join([*parts, *(["nights by mail"] if settings.nightly_mail_to else [])])


def check_weights(settings: Settings) -> CheckResult:
    """See whether every weight file is the one that its manifest names."""
    from models.manifest import available_ensembles, check_files, load_manifest

    try:
        folders = available_ensembles(settings.ensembles_path)
        for folder in folders.values():
            check_files(folder, load_manifest(folder))
    except ReadFirstError as error:
        return CheckResult(
            "weights", False, str(error), "Install ReadFirst again, or copy them again."
        )
    advice = "Install ReadFirst again: the shipped ensemble is missing."
    versions = ", ".join(sorted(folders))
    return CheckResult("weights", bool(folders), f"ensembles {versions}", advice)


def check_acceptance(settings: Settings) -> CheckResult:
    """See whether a lead has ever accepted the active ensemble for this site."""
    from db.ensembles.acceptance import is_accepted
    from db.ensembles.versions import active_ensemble

    def read(session: Session) -> tuple[str | None, bool]:
        active = active_ensemble(session)
        version = active.version if active else None
        return version, version is not None and is_accepted(session, version)

    answer = from_database(settings, read)
    if answer is None:
        return unknown("accepted")
    version, accepted = answer
    if version is None:
        return CheckResult("accepted", True, "no ensemble has scored yet")
    if accepted:
        return CheckResult("accepted", True, f"ensemble {version} was accepted by a lead")
    if settings.is_silent:
        return CheckResult("accepted", True, f"silent mode: ensemble {version} only scores")
    warning = (
        f"No lead has accepted ensemble {version} on films of this site: "
        "docs/how-to/accept-an-ensemble.md says how."
    )
    return CheckResult("accepted", True, f"live, ranked by ensemble {version}", warning=warning)


CHECKS: tuple[Callable[[Settings], CheckResult], ...] = (
    check_settings,
    check_scope,
    check_home,
    check_rights,
    check_inbox,
    check_disk,
    check_database,
    check_left,
    check_work,
    check_broker,
    check_reading,
    check_listener,
    check_sources,
    check_hl7,
    check_page,
    check_escalation,
    check_destinations,
    check_weights,
    check_acceptance,
)


def _send_test_mail(settings: Settings) -> None:
    """Raises ReadFirstError where no mail is set up, or none is taken."""
    from datetime import UTC, datetime
    from uuid import uuid4

    from worker.delivery.escalation_message import trial_mail
    from worker.delivery.mail import mail_server, night_mail_server, send_mail

    server = mail_server(settings) or night_mail_server(settings)
    if server is None:
        raise Misconfigured(
            "No mail is sent: READFIRST_ESCALATE_AFTER_MINUTES and READFIRST_ESCALATE_BY say when, "
            "or READFIRST_NIGHTLY_MAIL_TO."
        )
    attempt = send_mail(trial_mail(server, datetime.now(UTC), uuid4().hex), server)
    if not attempt.taken:
        raise Unavailable(f"{server.host}:{server.port} did not take the mail: {attempt.outcome}.")
    count = len(server.receivers)
    notice(f"Sent to {count} {'address' if count == 1 else 'addresses'}: {attempt.outcome}.")


def _fix_rights(settings: Settings) -> None:
    from cli.common.rights import close_to_others

    for path, reason in close_to_others(settings):
        err.print(Text(f"{path} stays as it is: {reason}", "yellow"), soft_wrap=True)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


def _writable(name: str, folder: Path, setting: str, fault: str | None) -> CheckResult:
    advice = f"Make it usable, or set {setting}."
    if fault:
        return CheckResult(name, False, fault, advice)
    try:
        probe = folder / ".readfirst-doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return CheckResult(name, False, f"{folder}: {error.strerror}", advice)
    return CheckResult(name, True, str(folder))
