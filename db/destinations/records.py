"""Records of destinations, and of results on their way to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.tables import Destination
from readfirst.destinations.forms import Form, Studies


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRecord:
    """Another system that gets results.

    kind: a name of `results.destinations.kinds`. address: as that kind has it; names files of
    passwords and keys, and holds none of them. rule: `readfirst.destinations.rules`; empty: of
    every study. changed_by: None where nobody had to log in.
    """

    number: int
    name: str
    kind: str
    address: dict[str, Any]
    forms: tuple[Form, ...]
    studies: Studies
    rule: dict[str, list[str]]
    enabled: bool
    changed_at: datetime
    changed_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationCounts:
    """Numbers of a destination's results.

    waiting: with the time of the oldest, and how the latest attempt of them that failed did.
    given_up: those that a person has to see to.
    """

    waiting: int = 0
    oldest: datetime | None = None
    last_error: str | None = None
    sent: int = 0
    uncommitted: int = 0
    given_up: int = 0
    not_made: int = 0
    last_sent_at: datetime | None = None


def record_of(row: Destination) -> DestinationRecord:
    """The record of a row. Forms that this version of ReadFirst does not know are left out."""
    known = {form.value for form in Form}
    return DestinationRecord(
        number=row.id,
        name=row.name,
        kind=row.kind,
        address=row.address,
        forms=tuple(Form(form) for form in row.forms if form in known),
        studies=row.studies,
        rule=row.rule,
        enabled=row.enabled,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )
