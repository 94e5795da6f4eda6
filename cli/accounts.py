"""`accounts …` and `audit`: who may look at the page and the API, and who did."""

import sys
from datetime import UTC, datetime
from getpass import getpass, getuser
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, moment, notice, print_json, print_table
from cli.common.database import opened
from cli.common.help import PlainCommand
from cli.common.options import Json
from db.access import accounts
from db.access.audit import Actor, AuditAction, AuditRecord, entries, note
from db.access.login_sessions import SessionRecord, end_session, sessions_of
from db.session import Database
from readfirst.access.credentials import (
    check_name,
    check_password,
    digest,
    hash_password,
    new_token,
)
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings

app = typer.Typer(
    help="Accounts of people and programs: who may look, and as what.", no_args_is_help=True
)
#: Of a number of a row.
GREATEST_ID = 2**31 - 1
Name = Annotated[str, typer.Argument(help="The account's name.")]


@app.command(cls=PlainCommand)
def add(
    name: Name,
    role: Annotated[
        Role,
        typer.Option(help="What the account may do; a service is a program, and has a token."),
    ] = Role.READER,
) -> None:
    """Make an account. Its password is asked for, or read from stdin; a token is printed once."""
    name = check_name(name)
    token = new_token() if role is Role.SERVICE else None
    new = accounts.NewAccount(
        name=name,
        role=role,
        password_hash=None if token else hash_password(_password(name)),
        token_sha256=digest(token) if token else None,
    )
    with opened(load_settings()) as database, database.write() as session:
        accounts.add(session, new, _now())
        note(session, *_by(AuditAction.ACCOUNT_ADDED), subject=name, role=role.value, by=getuser())
    if token:
        _show(token)
    notice(f'Account "{name}" added with role {role.value}.')


@app.command("list", cls=PlainCommand)
def list_accounts(json: Json = False) -> None:
    """Print every account, with its role."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = accounts.all_accounts(session)
    if json:
        print_json(rows)
        return
    print_table(
        f"Accounts: {len(rows)}",
        ("Name", "Role", "Since", "Disabled"),
        [
            (
                row.name,
                row.role.value,
                local_time(row.created_at, settings),
                local_time(row.disabled_at, settings) if row.disabled_at else "",
            )
            for row in rows
        ],
    )


@app.command(cls=PlainCommand)
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Enable it again.")] = False,
) -> None:
    """Disable an account and log it out everywhere. It stays in the list, as the audit names it."""
    name = name.lower()
    with opened(load_settings()) as database, database.write() as session:
        if undo:
            accounts.enable(session, name)
            note(session, *_by(AuditAction.ACCOUNT_ENABLED), subject=name, by=getuser())
        else:
            accounts.disable(session, name, _now())
            note(session, *_by(AuditAction.ACCOUNT_DISABLED), subject=name, by=getuser())
    notice(f'Account "{name}" is {"enabled" if undo else "disabled"}.')


@app.command("role", cls=PlainCommand)
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(help="What the account may do from now on.")]
) -> None:
    """Let a person do more or less, from the next click on."""
    name = name.lower()
    with opened(load_settings()) as database, database.write() as session:
        accounts.set_role(session, name, role)
        note(session, *_by(AuditAction.ROLE_SET), subject=name, role=role.value, by=getuser())
    notice(f'Account "{name}" has the role {role.value} now.')


@app.command(cls=PlainCommand)
def passwd(name: Name) -> None:
    """Set a person's password, asked for or read from stdin; log them out and unlock them."""
    name = name.lower()
    with opened(load_settings()) as database:
        _check_role(database, name, program=False)
        kept = hash_password(_password(name))
        with database.write() as session:
            accounts.set_password_hash(session, name, kept)
            note(session, *_by(AuditAction.PASSWORD_SET), subject=name, by=getuser())
    notice(f"The password of {name} is set.")


@app.command(cls=PlainCommand)
def token(name: Name) -> None:
    """Give a program a new token, printed once; the old one ends."""
    name, secret = name.lower(), new_token()
    with opened(load_settings()) as database:
        _check_role(database, name, program=True)
        with database.write() as session:
            accounts.set_token(session, name, digest(secret))
            note(session, *_by(AuditAction.TOKEN_MADE), subject=name, by=getuser())
    _show(secret)


@app.command(cls=PlainCommand)
def sessions(
    name: Name,
    end: Annotated[
        int | None, typer.Option(min=1, max=GREATEST_ID, help="End the session of this number.")
    ] = None,
    json: Json = False,
) -> None:
    """Print where a person is logged in; or end one of these sessions."""
    # Not needed by the other commands.
    from worklist.security.access_policy import access_policy

    settings, name = load_settings(), name.lower()
    with opened(settings) as database:
        if end is not None:
            _end(database, name, end)
            return
        with database.read() as session:
            accounts.role_of(session, name)
            rows = sessions_of(session, name, _now(), access_policy(settings).lifetimes)
    if json:
        print_json(rows)
        return
    columns = ("Number", "Since", "Last used", "From")
    print_table(f"Sessions: {len(rows)}", columns, [_session(row, settings) for row in rows])


def _end(database: Database, name: str, number: int) -> None:
    with database.write() as session:
        if not end_session(session, name, number):
            raise Misconfigured(f"{name} has no session {number}.")
        note(session, *_by(AuditAction.SESSION_ENDED), subject=name, by=getuser())
    notice(f"The session {number} of {name} has ended.")


def _session(row: SessionRecord, settings: Settings) -> tuple[str, ...]:
    return (
        str(row.number),
        local_time(row.opened_at, settings),
        local_time(row.used_at, settings),
        row.address or "unknown",
    )


def audit(
    since: Annotated[
        str | None,
        typer.Option(help="Only since: `2h`, `3d`, or a date in the site's zone."),
    ] = None,
    study: Annotated[str | None, typer.Option(help="Only of this Study Instance UID.")] = None,
    account: Annotated[str | None, typer.Option(help="Only by this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 100,
    json: Json = False,
) -> None:
    """Print who did or saw what on the page and the API, the latest first."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = entries(
            session,
            limit=limit,
            since=moment(since, settings),
            account=account.lower() if account else None,
            study_instance_uid=study,
        )
    if json:
        print_json(rows)
    else:
        columns = ("At", "Who", "From", "What", "Study", "Detail")
        print_table(f"Audit: {len(rows)}", columns, [_entry(row, settings) for row in rows])


def _check_role(database: Database, name: str, *, program: bool) -> None:
    with database.read() as session:
        is_program = accounts.role_of(session, name) is Role.SERVICE
    if is_program and not program:
        raise Misconfigured(f"{name} is a program: `readfirst accounts token {name}`.")
    if program and not is_program:
        raise Misconfigured(f"{name} is a person: `readfirst accounts passwd {name}`.")


def _password(name: str) -> str:
    """Never an argument: those can be seen by whoever is on this machine, and are kept."""
    if not sys.stdin.isatty():
        return check_password(sys.stdin.readline().rstrip("\r\n"), name)
    password = check_password(getpass(f"Password of {name}: "), name)
    if getpass("Once more: ") != password:
        raise Misconfigured("The two are not the same.")
    return password


def _show(secret: str) -> None:
    print(secret)
    notice("Keep this token safe: it is shown this once.")


def _by(action: AuditAction) -> tuple[Actor, AuditAction, datetime]:
    """Return actor, action and time. Whoever reaches the database here may do all."""
    return Actor(None, None), action, _now()


def _now() -> datetime:
    return datetime.now(UTC)


def _entry(row: AuditRecord, settings: Settings) -> tuple[str, ...]:
    return (
        local_time(row.at, settings),
        row.account or "–",
        row.address or "command line",
        row.action,
        row.study_instance_uid or "",
        ", ".join(f"{name}: {value}" for name, value in row.detail.items()),
    )
