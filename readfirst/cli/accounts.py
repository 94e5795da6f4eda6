"""`accounts …`: who may look at the page and the API."""

import sys
from datetime import UTC, datetime
from getpass import getpass, getuser
from typing import Annotated

import typer

from db import accounts
from db.audit import Action, Actor, note
from db.session import Database
from readfirst.cli.console import local_time, notice, print_json, print_table
from readfirst.cli.worklist import Json, opened
from readfirst.credentials import check_name, check_password, digest, hash_password, new_token
from readfirst.errors import Misconfigured
from readfirst.roles import Role
from readfirst.settings import load_settings

app = typer.Typer(
    help="Accounts of people and programs: who may look, and as what.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The account's name.")]


@app.command()
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
        note(session, *_by(Action.ACCOUNT_ADDED), subject=name, role=role.value, by=getuser())
    if token:
        _show(token)
    notice(f"{name} may look, as {role.value}.")


@app.command("list")
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


@app.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let it in again.")] = False,
) -> None:
    """Let an account in no more, and log it out everywhere. It stays, since the audit names it."""
    name = name.lower()
    with opened(load_settings()) as database, database.write() as session:
        if undo:
            accounts.enable(session, name)
            note(session, *_by(Action.ACCOUNT_ENABLED), subject=name, by=getuser())
        else:
            accounts.disable(session, name, _now())
            note(session, *_by(Action.ACCOUNT_DISABLED), subject=name, by=getuser())
    notice(f"{name} is {'let in again' if undo else 'let in no more'}.")


@app.command("role")
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(help="What the account may do from now on.")]
) -> None:
    """Let a person do more or less, from the next click on."""
    name = name.lower()
    with opened(load_settings()) as database, database.write() as session:
        accounts.set_role(session, name, role)
        note(session, *_by(Action.ROLE_SET), subject=name, role=role.value, by=getuser())
    notice(f"{name} may look, as {role.value}.")


@app.command()
def passwd(name: Name) -> None:
    """Set a person's password, asked for or read from stdin; log them out and unlock them."""
    name = name.lower()
    with opened(load_settings()) as database:
        _check_role(database, name, program=False)
        kept = hash_password(_password(name))
        with database.write() as session:
            accounts.set_password_hash(session, name, kept)
            note(session, *_by(Action.PASSWORD_SET), subject=name, by=getuser())
    notice(f"The password of {name} is set.")


@app.command()
def token(name: Name) -> None:
    """Give a program a new token, printed once; the old one ends."""
    name, secret = name.lower(), new_token()
    with opened(load_settings()) as database:
        _check_role(database, name, program=True)
        with database.write() as session:
            accounts.set_token(session, name, digest(secret))
            note(session, *_by(Action.TOKEN_MADE), subject=name, by=getuser())
    _show(secret)


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


def _by(action: Action) -> tuple[Actor, Action, datetime]:
    """Whoever reaches the database here may do all; the system's user name says who it was."""
    return Actor(None, None), action, _now()


def _now() -> datetime:
    return datetime.now(UTC)
