"""Destinations for tests: added with what matters, the rest filled in."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.destinations.changes import DestinationInput, add_destination
from db.destinations.records import DestinationRecord
from db.session import Database
from db.tables import Destination, OutgoingResult
from readfirst.destinations.forms import Form, Studies
from tests.support.studies import NOBODY, NOW


def a_destination(
    session: Session,
    name: str = "pacs",
    *forms: Form,
    kind: str = "folder",
    address: dict[str, Any] | None = None,
    studies: Studies = Studies.FLAGGED,
    rule: dict[str, list[str]] | None = None,
    at: datetime = NOW,
) -> DestinationRecord:
    wanted = DestinationInput(
        kind=kind,
        address=address or {"path": "/srv/results"},
        forms=forms or (Form.SR, Form.KOS),
        studies=studies,
        rule=rule or {},
    )
    return add_destination(session, NOBODY, name, wanted, at)


def outgoing(session: Session) -> list[tuple[str, str, str]]:
    """Destination, form and state of every result on its way, in the order of their rows."""
    query = (
        select(Destination.name, OutgoingResult.form, OutgoingResult.state)
        .join(Destination, Destination.id == OutgoingResult.destination_id)
        .order_by(OutgoingResult.id)
    )
    return [(name, form, state.value) for name, form, state in session.execute(query)]


def make_due(database: Database) -> None:
    """Let the pauses of all results and destinations be over."""
    with database.write() as session:
        session.execute(update(OutgoingResult).values(lease_until=datetime.now(UTC)))
        session.execute(update(Destination).values(rests_until=None))
