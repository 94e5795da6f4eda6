"""Destinations for tests: added with what matters, the rest filled in."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.destinations.changes import DestinationInput, add_destination
from db.destinations.records import DestinationRecord
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.sending.claims import claim_due
from db.lifecycle.sending.outcomes import GIVE_UP_AFTER, not_sent
from db.session import Database
from db.tables import Destination, OutgoingResult
from readfirst.destinations.forms import Form, Studies
from tests.support.studies import LEASE, NOBODY, NOW


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


def give_up_one(session: Session, at: datetime, given_up: str, waiting: str) -> None:
    """Let sending fail for the two results that are due: one is given up, one waits.

    given_up, waiting: the reason of each.
    """
    due = claim_due(session, at, LEASE, 2)
    assert due is not None
    policy, late = LeasePolicy(lease=LEASE.lease), at + GIVE_UP_AFTER
    first, second = due.results
    not_sent(session, first, given_up, late, policy, answered=False)
    not_sent(session, second, waiting, at, policy, answered=False)


def make_due(database: Database) -> None:
    """Let the pauses of all results and destinations be over."""
    with database.write() as session:
        session.execute(update(OutgoingResult).values(lease_until=datetime.now(UTC)))
        session.execute(update(Destination).values(rests_until=None))
