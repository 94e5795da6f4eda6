"""`doctor`: is everything in place, and what to do where it is not."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cli.checks.destinations import check_results
from cli.checks.hl7 import check_hl7
from cli.checks.sources import check_sources
from cli.common.checks import (
    answer_text,
    change_setting,
    free_port_text,
    from_database,
    off_text,
    unknown,
)
from cli.common.console import err, local_time, notice, out, print_json
from readfirst.errors import Misconfigured, ReadFirstError, Unavailable
from readfirst.files.folders import make_inbox, make_private_folder
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.settings import Settings, load_settings, unknown_settings
from readfirst.site.checks import CheckResult

if TYPE_CHECKING:
    from db.lifecycle.outbox import OutboxCounts


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
    return CheckResult(
        "settings", True, chosen or gettext("all at their defaults"), warning=warning
    )


def check_scope(settings: Settings) -> CheckResult:
    """See whether the rules of what may be scored can be read, and each has an effect."""
    from ingest.scope.scope_rules import load_rules
    from ingest.scope.unused_patterns import unused_patterns

    try:
        rules = load_rules(settings.scope)
    except Misconfigured as error:
        return CheckResult(
            "scope",
            False,
            str(error),
            gettext("Set it right; docs/reference/scope.md says how."),
        )
    found = str(settings.scope or gettext("the rules that come with ReadFirst"))
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
        return CheckResult(
            "rights", True, gettext("nobody else on this machine reads the home folder")
        )
    warning = gettext(
        "Other users of this machine may look into {path} ({mode}). "
        "`readfirst doctor --fix-rights` takes that right away."
    ).format(path=opened[0].path, mode=f"{opened[0].mode:03o}")
    found = gettext("{count} files and folders are open to others").format(count=len(opened))
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
        gettext("{size} GiB free at {folder}").format(
            size=number_text(room.free / 1024**3, ".1f"), folder=room.folder
        ),
        f"{room.sentence} "
        + gettext("Make room, or move READFIRST_HOME or READFIRST_INBOX to a larger disk."),
    )


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
            found = gettext("{kind}, schema up to date").format(kind=kind)
            return CheckResult("database", True, found, warning=warning)
        advice = gettext("Start any part of ReadFirst once: it brings the schema up to date.")
        found = gettext("{kind}, schema missing or old").format(kind=kind)
        return CheckResult("database", False, found, advice)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        advice = gettext(
            "Check READFIRST_DATABASE_URL, and that the server runs and lets this user in."
        )
        found = gettext("{kind} does not answer: {reason}").format(kind=kind, reason=reason)
        return CheckResult("database", False, found, advice)
    finally:
        database.dispose()


def _of_one_role(tables: Sequence[str]) -> str:
    """A warning where the application's role could change history; else nothing."""
    if not tables:
        return ""
    return gettext(
        "The role in READFIRST_DATABASE_URL owns {tables}, or is a superuser: whoever has it can "
        "change what nobody should. Let another role own them: `readfirst migrate` with "
        "READFIRST_DATABASE_OWNER_URL."
    ).format(tables=", ".join(tables))


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


def check_listener(settings: Settings) -> CheckResult:
    """See whether the DICOM listener may run as it is set, and answers."""
    from ingest.receivers.listener_config import listener_config, reachable_host

    if not settings.receive:
        return CheckResult("listener", True, off_text("READFIRST_RECEIVE"))
    try:
        config = listener_config(settings)
    except ReadFirstError as error:
        return CheckResult("listener", False, str(error), change_setting())
    where = gettext("{title} on {address}").format(
        title=config.ae_title, address=f"{config.host}:{config.port}"
    )
    if config.port == 0:
        return CheckResult("listener", True, free_port_text(where))
    well = _answers(reachable_host(config.host), config.port)
    advice = gettext("Start it with `readfirst up` or `readfirst receive`, and see its log.")
    return CheckResult("listener", well, f"{where} {answer_text(well)}", advice)


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
        return CheckResult("page", False, str(error), gettext("Then start it again."))
    if closed is None:
        return CheckResult("page", True, gettext("see the database"))
    access = gettext("by log-in") if closed else gettext("open to whoever is on this machine")
    bare = not (is_loopback(settings.host) or settings.tls_certificate or settings.trusted_proxies)
    plain, safe = gettext("{access}, on {host} without TLS"), gettext("{access}, on {host}")
    where = plain if bare else safe
    return CheckResult(
        "page",
        not bare,
        where.format(access=access, host=settings.host),
        gettext(
            "Set READFIRST_TLS_CERTIFICATE and READFIRST_TLS_KEY, or put a proxy with TLS before "
            "it and name that in READFIRST_TRUSTED_PROXIES."
        ),
    )


def check_messages(settings: Settings) -> CheckResult:
    """See whether the mail server lets ReadFirst in, and whether messages wait or were given up."""
    from db.lifecycle.outbox import Channel, outbox_counts
    from worker.delivery.mail import mail_server, night_mail_server, try_server

    if settings.escalate_after_minutes is None and not settings.nightly_mail_to:
        none = gettext("no escalation (READFIRST_ESCALATE_AFTER_MINUTES)")
        return CheckResult("messages", True, none)
    counts = (
        from_database(
            settings, lambda session: [outbox_counts(session, channel) for channel in Channel]
        )
        or []
    )
    warning = _undelivered(counts)
    found = _messages(settings)
    server = mail_server(settings) or night_mail_server(settings)
    if server is None:
        return CheckResult("messages", True, found, warning=warning)
    attempt = try_server(server)
    where = f"{found}; {server.host}:{server.port} ({server.security})"
    failed = gettext("failed: {reason}").format(reason=attempt.outcome)
    return CheckResult(
        "messages",
        attempt.taken,
        f"{where} {answer_text(True) if attempt.taken else failed}",
        gettext(
            "Check READFIRST_SMTP_HOST, _PORT, _SECURITY, _USER and the password; "
            "`readfirst doctor --send-test-mail` sends a mail."
        ),
        warning=warning,
    )


def _undelivered(counts: Sequence["OutboxCounts"]) -> str:
    """Say what was given up and what waits; nothing where all is delivered."""
    given_up = sum(each.given_up for each in counts)
    failed = [each for each in counts if each.last_error]
    parts = []
    if given_up:
        text = gettext("{count} messages were given up after days.")
        parts.append(text.format(count=given_up))
    if failed:
        text = gettext("{count} wait after a failed attempt ({reason}).")
        waiting = sum(each.waiting for each in failed)
        parts.append(text.format(count=waiting, reason=failed[0].last_error))
    return " ".join(parts)


def _messages(settings: Settings) -> str:
    """Say which messages there are."""
    minutes = settings.escalate_after_minutes
    escalation = gettext("escalation after {minutes} min by {way}")
    parts = [escalation.format(minutes=minutes, way=settings.escalate_by)] if minutes else []
    return "; ".join([*parts, *([gettext("nights by mail")] if settings.nightly_mail_to else [])])


def check_weights(settings: Settings) -> CheckResult:
    """See whether every weight file is the one that its manifest names."""
    from models.manifest import available_ensembles, check_files, load_manifest

    try:
        folders = available_ensembles(settings.ensembles_path)
        for folder in folders.values():
            check_files(folder, load_manifest(folder))
    except ReadFirstError as error:
        advice = gettext("Install ReadFirst again, or copy them again.")
        return CheckResult("weights", False, str(error), advice)
    advice = gettext("Install ReadFirst again: the shipped ensemble is missing.")
    found = gettext("ensembles {versions}").format(versions=", ".join(sorted(folders)))
    return CheckResult("weights", bool(folders), found, advice)


def check_accepted(settings: Settings) -> CheckResult:
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
        return CheckResult("accepted", True, gettext("no ensemble has scored yet"))
    if accepted:
        text = gettext("ensemble {version} was accepted by a lead")
        return CheckResult("accepted", True, text.format(version=version))
    if settings.is_silent:
        text = gettext("silent mode: ensemble {version} only scores")
        return CheckResult("accepted", True, text.format(version=version))
    warning = gettext(
        "No lead has accepted ensemble {version} on films of this site: "
        "docs/how-to/accept-an-ensemble.md says how."
    ).format(version=version)
    found = gettext("live, ranked by ensemble {version}").format(version=version)
    return CheckResult("accepted", True, found, warning=warning)


CHECKS: tuple[Callable[[Settings], CheckResult], ...] = (
    check_settings,
    check_scope,
    check_home,
    check_rights,
    check_inbox,
    check_disk,
    check_database,
    check_intake,
    check_work,
    check_broker,
    check_reading,
    check_listener,
    check_sources,
    check_hl7,
    check_page,
    check_messages,
    check_results,
    check_weights,
    check_accepted,
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
    advice = gettext("Make it usable, or set {setting}.").format(setting=setting)
    if fault:
        return CheckResult(name, False, fault, advice)
    try:
        probe = folder / ".readfirst-doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return CheckResult(name, False, f"{folder}: {error.strerror}", advice)
    return CheckResult(name, True, str(folder))
