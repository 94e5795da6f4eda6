"""`accounts …` and `audit`: who may look at the page and the API, and who did."""

import sys
from datetime import UTC, datetime
from getpass import getpass, getuser
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, moment, notice, print_json, print_table
from cli.common.database import TERMINAL, opened
from cli.common.help import PlainCommand
from cli.common.options import Json
from db.access import accounts
from db.access.account_changes import AccountChange, Wanted, add_account, change_account
from db.access.account_details import account_details
from db.access.audit import AuditAction, AuditRecord, entries, note
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
        sentence = add_account(session, TERMINAL, new, _now(), by=getuser())
    if token:
        _show(token)
    notice(sentence)


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
    _change(name, Wanted(AccountChange.ENABLE if undo else AccountChange.DISABLE))


@app.command(cls=PlainCommand)
def enable(name: Name) -> None:
    """Enable an account that was disabled."""
    _change(name, Wanted(AccountChange.ENABLE))


@app.command(cls=PlainCommand)
def unlock(name: Name) -> None:
    """Let a person try to log in again at once, after too many failed log-ins."""
    _change(name, Wanted(AccountChange.UNLOCK))


@app.command(cls=PlainCommand)
def show(name: Name, json: Json = False) -> None:
    """Print an account: role, state, last seen, sessions."""
    # Not needed by the other commands.
    from worklist.security.access_policy import access_policy

    settings, name = load_settings(), name.lower()
    rules = access_policy(settings)
    with opened(settings) as database, database.read() as session:
        (row,) = account_details(session, _now(), rules.lifetimes, rules.account_limit, name)
    if json:
        print_json(row)
        return

    def when(at: datetime | None, otherwise: str) -> str:
        return local_time(at, settings) if at else otherwise

    rows = [
        ("Role", row.role.value),
        ("Added", local_time(row.created_at, settings)),
        ("Disabled", when(row.disabled_at, "no")),
        ("Locked until", when(row.locked_until, "not locked")),
        ("Last seen", when(row.last_seen_at, "never")),
        ("Sessions", str(row.sessions)),
    ]
    if row.role is Role.SERVICE:
        rows.append(("Token", "valid" if row.has_token else "none"))
    print_table(name, ("Property", "Value"), rows)


@app.command("role", cls=PlainCommand)
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(help="What the account may do from now on.")]
) -> None:
    """Let a person do more or less, from the next click on."""
    _change(name, Wanted(AccountChange.ROLE, role=role))


@app.command(cls=PlainCommand)
def passwd(name: Name) -> None:
    """Set a person's password, asked for or read from stdin; log them out and unlock them."""
    name = name.lower()
    with opened(load_settings()) as database:
        _check_role(database, name, program=False)
        kept = hash_password(_password(name))
    _change(name, Wanted(AccountChange.PASSWORD, kept=kept))


@app.command(cls=PlainCommand)
def token(
    name: Name,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the token, and make none.")] = False,
) -> None:
    """Give a program a new token, printed once; the old one ends."""
    name, secret = name.lower(), new_token()
    with opened(load_settings()) as database:
        _check_role(database, name, program=True)
    if revoke:
        _change(name, Wanted(AccountChange.REVOKE))
        return
    _change(name, Wanted(AccountChange.TOKEN, kept=digest(secret)))
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


def _change(name: str, wanted: Wanted) -> None:
    """Change an account, and say so."""
    with opened(load_settings()) as database, database.write() as session:
        by = getuser()
        sentence = change_account(session, TERMINAL, name.lower(), wanted, _now(), by=by)
    notice(sentence)


def _end(database: Database, name: str, number: int) -> None:
    with database.write() as session:
        if not end_session(session, name, number):
            raise Misconfigured(f"{name} has no session {number}.")
        ended = AuditAction.SESSION_ENDED
        note(session, TERMINAL, ended, _now(), subject=name, by=getuser())
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
