"""Studies that nobody reads in time are escalated once, in batches, and acknowledged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from db.access.audit import Actor, AuditAction, entries
from db.escalation import escalate
from db.escalation.acknowledge import acknowledge, escalation_of
from db.escalation.escalate import PAUSE, EscalationPolicy, escalate_due
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.outbox import Channel, DueEscalation, claim_due
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Escalation, Event, OutboxMessage, Study
from readfirst.errors import Conflict, Refused
from readfirst.refusals import RefusalCode
from tests.support.studies import (
    NOW,
    a_header,
    a_scored_image,
    an_image,
    give_verdict,
    lifecycle,
)

MINUTE = timedelta(minutes=1)
HALF_HOUR = 30 * MINUTE
BOTH = EscalationPolicy(
    after=HALF_HOUR, stat=True, flagged=True, channels=(Channel.WEBHOOK, Channel.MAIL)
)
LEA = Actor("lea", "10.1.2.3")
LEASE = LeasePolicy(lease=MINUTE)


@pytest.fixture
def worklist(database: Database) -> Database:
    """A flagged, a STAT and a routine study, and a STAT one that was refused."""
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
        a_scored_image(session, NOW, probability=0.1, study="1.2", header=a_header(stat=True))
        a_scored_image(session, NOW, probability=0.1, study="1.3")
        refusal = Refused(RefusalCode.TRUNCATED)
        an_image(session, NOW, study="1.4", header=a_header(stat=True), refusal=refusal)
    return database


@contextmanager
def at(database: Database, minutes: float) -> Iterator[UnitOfWork]:
    with lifecycle(database, NOW + minutes * MINUTE) as unit:
        yield unit


def escalated(database: Database, minutes: float, policy: EscalationPolicy = BOTH) -> list[str]:
    """Escalate what is due then; returns all that was ever escalated, in order."""
    with at(database, minutes) as unit:
        escalate_due(unit, policy)
    with database.read() as session:
        query = select(Study.study_instance_uid).join(Escalation).order_by(Escalation.id)
        return list(session.scalars(query))


def messages(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(OutboxMessage.id))) or 0


def test_what_is_urgent_and_unread_for_too_long_is_told_once_in_one_message(
    worklist: Database,
) -> None:
    assert escalated(worklist, 29) == []
    assert escalated(worklist, 30) == ["1.2", "1.4", "1.1"], "STAT first"
    assert messages(worklist) == 2, "one for each channel"
    assert escalated(worklist, 90) == ["1.2", "1.4", "1.1"]
    assert messages(worklist) == 2
    with worklist.read() as session:
        query = select(Event).where(Event.action == "escalated").order_by(Event.id)
        (first, *_) = session.scalars(query)
    assert (first.cause, first.detail) == ("waiting", {"after_minutes": 30})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"flagged": False}, ["1.2", "1.4"]), ({"stat": False}, ["1.1"])],
)
def test_a_site_chooses_which_studies(
    worklist: Database, changes: dict[str, Any], expected: list[str]
) -> None:
    assert escalated(worklist, 30, replace(BOTH, **changes)) == expected


def test_what_was_read_is_not_told_and_its_time_begins_anew_when_it_is_unread(
    worklist: Database,
) -> None:
    with worklist.write() as session:
        give_verdict(session, "1.1", VerdictInput(), LEA, NOW + 10 * MINUTE)
    assert "1.1" not in escalated(worklist, 40)
    with worklist.write() as session:
        give_verdict(session, "1.1", VerdictInput(withdrawn=True), LEA, NOW + 50 * MINUTE)
    assert "1.1" not in escalated(worklist, 79)
    assert "1.1" in escalated(worklist, 81)


def test_the_time_of_a_flagged_study_begins_when_it_is_flagged(worklist: Database) -> None:
    with worklist.write() as session:
        a_scored_image(session, NOW + 20 * MINUTE, probability=0.9, study="1.3")
    assert "1.3" not in escalated(worklist, 49)
    assert "1.3" in escalated(worklist, 51)


def test_many_at_once_make_few_messages(
    worklist: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escalate, "MOST_OF_BATCH", 2)
    # A clock that jumps ahead by years, and a sweep every ten seconds.
    years = 60 * 24 * 700.0
    assert len(escalated(worklist, years)) == 2
    assert len(escalated(worklist, years + 0.2)) == 2, "the pause is not over"
    assert len(escalated(worklist, years + PAUSE / MINUTE)) == 3
    # And back.
    assert len(escalated(worklist, 1)) == 3
    with worklist.write() as session:
        header = a_header(stat=True)
        a_scored_image(session, NOW, probability=0.1, study="1.5", header=header)
    assert len(escalated(worklist, 31)) == 4, "a batch from the future stops none"
    assert messages(worklist) == 2 * 3


def test_a_message_leaves_out_what_was_read_or_acknowledged_meanwhile(worklist: Database) -> None:
    def still_due() -> list[str]:
        with worklist.write() as session:
            due = claim_due(session, NOW + 40 * MINUTE, LEASE, [Channel.MAIL])
            assert isinstance(due, DueEscalation)
            session.rollback()
        return [study.study_instance_uid for study in due.studies]

    escalated(worklist, 30)
    with worklist.write() as session:
        assert claim_due(session, NOW + 40 * MINUTE, LEASE, []) is None
    assert still_due() == ["1.2", "1.4", "1.1"]
    with worklist.write() as session:
        give_verdict(session, "1.2", VerdictInput(), LEA, NOW + 31 * MINUTE)
    with at(worklist, 32) as unit:
        acknowledge(unit, "1.1", LEA)
    assert still_due() == ["1.4"]


def test_it_is_noted_who_acknowledged_and_when(worklist: Database) -> None:
    escalated(worklist, 30)
    for minutes, reader in ((32, LEA), (33, Actor("adam", None))):
        with at(worklist, minutes) as unit:
            record = acknowledge(unit, "1.1", reader)
    assert record.acknowledged_by == "lea", "the first one stays"
    assert record.acknowledged_at == NOW + 32 * MINUTE
    with worklist.read() as session:
        assert escalation_of(session, "1.1") == record
        assert escalation_of(session, "1.3") is None
        events = session.scalars(select(Event).where(Event.action == "acknowledged")).all()
        noted = [entry.action for entry in entries(session, limit=10)]
    assert [event.detail for event in events] == [{"by": "lea"}]
    assert noted == [AuditAction.ESCALATION_ACKNOWLEDGED]
    with pytest.raises(Conflict, match="not escalated"), at(worklist, 34) as unit:
        acknowledge(unit, "1.3", LEA)
