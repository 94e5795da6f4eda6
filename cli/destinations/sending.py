"""`destinations test` and `destinations send-again`."""

from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from cli.common.console import notice
from cli.common.database import TERMINAL, opened
from cli.destinations.changing import Name
from readfirst.errors import NotThere
from readfirst.settings import load_settings


def try_it(name: Name) -> None:
    """Try whether a destination answers and takes what it gets. Nothing of a study is sent.

    dicom: C-ECHO, and the kinds of objects. stow: a search for a study that nobody has. folder: a
    file is written, and removed.
    """
    from results.destinations.trying import try_destination

    with opened(load_settings()) as database:
        sentence = try_destination(database, TERMINAL, name, datetime.now(UTC), by=getuser())
    notice(sentence, "green")


def send_again(
    name: Name,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[NUMBER]…",
            help="Of these results, in `readfirst destinations waiting --all`. Default: all that "
            "were given up.",
        ),
    ] = None,
) -> None:
    """Send results again: those that were given up, or any by their numbers.

    What is sent twice is the same object, and is there once.
    """
    from db.destinations.queries import find_destination
    from db.lifecycle.sending.outcomes import send_again as send_rows_again

    with opened(load_settings()) as database, database.write() as session:
        destination = find_destination(session, name)
        sent = send_rows_again(
            session, TERMINAL, destination, datetime.now(UTC), numbers or None, by=getuser()
        )
        if numbers and not sent:
            raise NotThere(f"{name} has no result of these numbers that is not waiting anyway.")
    notice(f"Sent again within seconds: {sent}." if sent else "Nothing was given up.")
