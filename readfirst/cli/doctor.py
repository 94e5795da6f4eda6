"""`doctor`: is everything in place, and what to do where it is not."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from readfirst.cli.console import out, print_json
from readfirst.errors import Misconfigured, ReadFirstError
from readfirst.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. advice: what to do, when it is not well."""

    name: str
    well: bool
    found: str
    advice: str = ""


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
) -> None:
    """Check settings, folders, disk, database, broker, listener and weights; say what to do."""
    settings = load_settings()
    findings = [check(settings) for check in CHECKS]
    if json:
        print_json(findings)
    else:
        for finding in findings:
            out().print(
                f"{'[green]✓[/]' if finding.well else '[red]✗[/]'} {finding.name:9} {finding.found}"
            )
            if not finding.well:
                out().print(f"  → {finding.advice}", style="yellow")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def check_settings(settings: Settings) -> Finding:
    """Reaching this point, they are valid; show which ones were chosen by the site."""
    chosen = ", ".join(sorted(f"READFIRST_{name.upper()}" for name in settings.model_fields_set))
    return Finding("settings", True, chosen or "all at their defaults")


def check_scope(settings: Settings) -> Finding:
    """See whether the rules of what may be scored can be read."""
    from ingest.scope_rules import load_rules

    try:
        load_rules(settings.scope)
    except Misconfigured as error:
        return Finding("scope", False, str(error), "Set it right; docs/scope.md says how.")
    return Finding("scope", True, str(settings.scope or "the rules that come with ReadFirst"))


def check_home(settings: Settings) -> Finding:
    """See whether everything can be written where ReadFirst keeps it."""
    return _writable("home", settings.home_path, "READFIRST_HOME")


def check_inbox(settings: Settings) -> Finding:
    """See whether files can be claimed in the drop folder."""
    return _writable("inbox", settings.inbox_path, "READFIRST_INBOX")


def check_disk(settings: Settings) -> Finding:
    """See whether there is room for intake."""
    from ingest.disk import intake_room

    room = intake_room(settings)
    return Finding(
        "disk",
        room.enough,
        f"{room.free / 1024**3:.1f} GiB free at {room.folder}",
        f"{room.sentence} Make room, or move READFIRST_HOME or READFIRST_INBOX to a larger disk.",
    )


def check_left(settings: Settings) -> Finding:
    """See whether the ingester finds something in the inbox that it cannot take."""
    from db.notices import inbox_notices
    from db.session import open_database

    database = open_database(settings.database)
    try:
        with database.read() as session:
            left = inbox_notices(session)
    except SQLAlchemyError:
        # The check of the database says why.
        return Finding("intake", True, "unknown without the database")
    finally:
        database.dispose()
    if not left:
        return Finding("intake", True, "nothing is left in the inbox")
    found = f"{len(left)} left in the inbox; the first: {left[0].reason}"
    return Finding("intake", False, found, "See `readfirst inbox`.")


def check_database(settings: Settings) -> Finding:
    """See whether the database answers, with the schema of this release."""
    from db.migrate import is_current
    from db.session import open_database

    database = open_database(settings.database)
    kind = database.engine.url.get_backend_name()
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        if is_current(database):
            return Finding("database", True, f"{kind}, schema up to date")
        advice = "Start any part of ReadFirst once: it brings the schema up to date."
        return Finding("database", False, f"{kind}, schema missing or old", advice)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        advice = "Check READFIRST_DATABASE_URL, and that the server runs and lets this user in."
        return Finding("database", False, f"{kind} does not answer: {reason}", advice)
    finally:
        database.dispose()


def check_broker(settings: Settings) -> Finding:
    """See whether Redis or Valkey answers."""
    from readfirst.broker import broker_answers

    where = "configured" if settings.broker_url else "embedded"
    advice = (
        "Check READFIRST_BROKER_URL, and that the server runs."
        if settings.broker_url
        else "Start it with `readfirst up`, or set READFIRST_BROKER_URL."
    )
    well = broker_answers(settings)
    return Finding("broker", well, f"{where}, {'answers' if well else 'does not answer'}", advice)


def check_listener(settings: Settings) -> Finding:
    """See whether the DICOM listener may run as it is set, and answers."""
    from ingest.receive.terms import listener_terms, reachable_host

    if not settings.receive:
        return Finding("listener", True, "off (READFIRST_RECEIVE)")
    try:
        terms = listener_terms(settings)
    except ReadFirstError as error:
        return Finding("listener", False, str(error), "Change the setting, and start it again.")
    where = f"{terms.ae_title} on {terms.host}:{terms.port}"
    if terms.port == 0:
        return Finding("listener", True, f"{where}: any free port, named in its log")
    well = _answers(reachable_host(terms.host), terms.port)
    advice = "Start it with `readfirst up` or `readfirst receive`, and see its log."
    return Finding("listener", well, f"{where} {'answers' if well else 'does not answer'}", advice)


def check_page(settings: Settings) -> Finding:
    """See who may look at the page, and whether passwords cross the network as they are."""
    from db.accounts import any_account
    from db.session import open_database
    from ingest.receive.terms import is_loopback
    from worklist.security.terms import check_may_listen

    database = open_database(settings.database)
    try:
        with database.read() as session:
            check_may_listen(settings, session)
            closed = settings.auth == "required" or any_account(session)
    except ReadFirstError as error:
        return Finding("page", False, str(error), "Then start it again.")
    except SQLAlchemyError:
        return Finding("page", True, "see the database")
    finally:
        database.dispose()
    who = "by log-in" if closed else "open to whoever is on this machine"
    bare = not (is_loopback(settings.host) or settings.tls_certificate or settings.trusted_proxies)
    return Finding(
        "page",
        not bare,
        f"{who}, on {settings.host}" + (" without TLS" if bare else ""),
        "Set READFIRST_TLS_CERTIFICATE and READFIRST_TLS_KEY, or put a proxy with TLS before it "
        "and name that in READFIRST_TRUSTED_PROXIES.",
    )


def check_weights(settings: Settings) -> Finding:
    """See whether every weight file is the one that its manifest names."""
    from models.manifest import available_ensembles, check_files, load_manifest

    try:
        found = available_ensembles(settings.ensembles_path)
        for folder in found.values():
            check_files(folder, load_manifest(folder))
    except ReadFirstError as error:
        return Finding("weights", False, str(error), "Install ReadFirst again, or copy them again.")
    advice = "Install ReadFirst again: the shipped ensemble is missing."
    return Finding("weights", bool(found), f"ensembles {', '.join(sorted(found))}", advice)


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    check_settings,
    check_scope,
    check_home,
    check_inbox,
    check_disk,
    check_database,
    check_left,
    check_broker,
    check_listener,
    check_page,
    check_weights,
)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


def _writable(name: str, folder: Path, setting: str) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".readfirst-doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(
            name, False, f"{folder}: {error.strerror}", f"Make it writable, or set {setting}."
        )
    return Finding(name, True, str(folder))
