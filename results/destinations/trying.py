"""A destination is tried, for the command line, the page and the doctor alike."""

from datetime import datetime
from typing import Any

from db.access.audit import Actor, AuditAction, note
from db.destinations.queries import find_destination
from db.destinations.records import DestinationRecord
from db.session import Database
from readfirst.errors import Misconfigured, Unavailable
from results.destinations.kind import SendingFailed
from results.destinations.kinds import checked_address, kind_named


def try_destination(
    database: Database, actor: Actor, name: str, at: datetime, **detail: Any
) -> str:
    """Try whether a destination answers and takes what it gets. Returns a sentence.

    It is noted in the audit log. Raises NotThere, and Unavailable with what is wrong.
    """
    with database.write() as session:
        destination = find_destination(session, name)
        note(session, actor, AuditAction.DESTINATION_TESTED, at, destination=name, **detail)
    return answer_of(destination)


def answer_of(destination: DestinationRecord) -> str:
    """Return what a destination that was tried says. Raises Unavailable with what is wrong."""
    try:
        kind = kind_named(destination.kind)
        return kind.test(checked_address(kind, destination.address), destination.forms)
    except (SendingFailed, Misconfigured) as error:
        raise Unavailable(f"{destination.name}: {error}") from error
