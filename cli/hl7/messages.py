"""`hl7`: the messages of the RIS that could not be read, for people and programs."""

import sys
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.ris.messages import (
    drop,
    kept_content,
    kept_count,
    kept_messages,
    kept_numbers,
)
from readfirst.errors import Misconfigured, NotThere
from readfirst.settings import load_settings

Number = Annotated[int, typer.Argument(help="The message's number, as `hl7 list` prints it.")]


def list_messages(
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 100,
    json: Json = False,
) -> None:
    """Print the messages that could not be read, with code and sentence, and nothing they say."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows, total = kept_messages(session, limit=limit), kept_count(session)
    if json:
        print_json(rows)
        return
    print_table(
        f"Not read: {len(rows)} of {total}",
        ("Message", "At", "From", "Type", "Control ID", "Code", "Reason"),
        [
            (
                str(row.number),
                local_time(row.received_at, settings),
                row.sender.replace("^", " ").strip(),
                row.message_type,
                row.control_id,
                row.code.value,
                row.reason,
            )
            for row in rows
        ],
    )


def print_message(message: Number) -> None:
    """Print a message that could not be read, as it came in. It may hold a patient's data."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        content = kept_content(session, message)
    if content is None:
        raise _not_kept(message)
    # A terminal shows one segment a line.
    sys.stdout.buffer.write(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip() + b"\n")


def retry_messages(
    message: Annotated[
        list[int] | None, typer.Argument(metavar="[MESSAGE]…", help="Numbers of messages.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that could not be read.")] = False,
) -> None:
    """Try messages again, as after a setting was changed: each is taken, or kept still."""
    from readfirst.tasks.celery_app import CeleryNotifier, make_app
    from worker.ris.retry import retry
    from worker.ris.services import open_ris

    if bool(message) == every:
        raise Misconfigured("Give numbers of messages, or --all.")
    settings = load_settings()
    with open_ris(settings, CeleryNotifier(make_app(settings))) as services:
        numbers = message or []
        if every:
            with services.units.database.read() as session:
                numbers = list(kept_numbers(session))
        tried = list(retry(services, numbers))
    print_table(
        "Tried again",
        ("Message", "Now"),
        [(str(each.number), each.reason or "taken") for each in tried],
    )
    taken = sum(each.reason is None for each in tried)
    notice(f"{taken} of {len(numbers)} taken.")


def drop_message(message: Number) -> None:
    """Remove a message that could not be read, for good: nothing of it is missed."""
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        if not drop(session, message):
            raise _not_kept(message)
    notice(f"Message {message} was removed.")


def _not_kept(message: int) -> NotThere:
    return NotThere(f"No message {message} is kept. `readfirst hl7 list` prints them.")
