"""In silent mode the AI scores, ranks nothing and tells nobody; live, unread work ranks by it."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from db.escalation.escalate import escalation_policy
from db.lifecycle.rescoring import rank_by_mode
from db.lifecycle.unit_of_work import UnitOfWork, site_policy
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Event, OutboxMessage, Score, Study, Verdict
from db.worklist.queries import reading_order
from readfirst.settings import Settings
from tests.support.studies import AS_STORED, MAX_WAIT, NOW, POLICY, a_scored_image, give_verdict

LIVE = replace(POLICY, webhook=True)
SILENT = replace(LIVE, silent=True)
EARLY, LATE = NOW, NOW + timedelta(hours=1)


def order(database: Database) -> list[str]:
    with database.read() as session:
        return [
            row.study_instance_uid for row in reading_order(session, limit=9, display=AS_STORED)
        ]


def rank_all(database: Database, *, silent: bool) -> int:
    moved = 0
    while True:
        with database.write() as session:
            unit = UnitOfWork(session, LATE, SILENT if silent else LIVE)
            ids = rank_by_mode(unit, limit=1)
            unit.write()
        if not ids:
            return moved
        moved += len(ids)


def scored(database: Database, *, silent: bool) -> None:
    """A study below the threshold, and a flagged one that came in after it."""
    for uid, at, probability in (("1.1", EARLY, 0.1), ("1.2", LATE, 0.9)):
        with database.write() as session:
            unit = UnitOfWork(session, at, SILENT if silent else LIVE)
            a_scored_image(unit, at, probability=probability, study=uid)
            unit.write()


def test_a_silent_flag_is_kept_ranks_nothing_and_is_told_to_nobody(database: Database) -> None:
    scored(database, silent=True)
    assert order(database) == ["1.1", "1.2"]
    with database.read() as session:
        assert session.scalars(select(OutboxMessage)).all() == []
        flagged = select(Event).where(Event.action == "flagged")
        (event,) = session.scalars(flagged).all()
        assert event.detail["alert"] is False
        assert len(session.scalars(select(Score)).all()) == 2
        (study,) = session.scalars(select(Study).where(Study.flagged)).all()
        assert study.reading_key == study.received_at


def test_live_tells_as_ever(database: Database) -> None:
    scored(database, silent=False)
    assert order(database) == ["1.2", "1.1"]
    with database.read() as session:
        assert len(session.scalars(select(OutboxMessage)).all()) == 1


def test_what_is_unread_follows_the_mode_and_nobody_is_told_of_it(database: Database) -> None:
    scored(database, silent=True)
    assert rank_all(database, silent=True) == 0
    assert rank_all(database, silent=False) == 1
    assert order(database) == ["1.2", "1.1"]
    with database.read() as session:
        assert session.scalars(select(OutboxMessage)).all() == []
        (study,) = session.scalars(select(Study).where(Study.flagged)).all()
        assert study.reading_key == study.received_at - MAX_WAIT
    assert rank_all(database, silent=False) == 0
    assert rank_all(database, silent=True) == 1
    assert order(database) == ["1.1", "1.2"]


def test_a_head_start_of_nothing_moves_nothing(database: Database) -> None:
    scored(database, silent=True)
    with database.write() as session:
        unit = UnitOfWork(session, LATE, replace(LIVE, max_wait=timedelta(0)))
        assert rank_by_mode(unit, limit=9) == []


def test_what_is_read_stays_where_it_was(database: Database) -> None:
    scored(database, silent=True)
    with database.write() as session:
        give_verdict(session, "1.2", VerdictInput())
    assert rank_all(database, silent=False) == 0
    with database.read() as session:
        assert session.scalars(select(Verdict.flagged)).all() == [True]


def test_a_silent_site_neither_tells_nor_escalates_flags(settings: Settings) -> None:
    silent = settings.model_copy(
        update={
            "mode": "silent",
            "webhook_url": "https://other.example",
            "escalate_after_minutes": 30,
            "escalate_studies": "both",
        }
    )
    assert site_policy(silent).silent
    assert site_policy(silent).head_start == timedelta(0)
    policy = escalation_policy(silent)
    assert policy is not None
    assert (policy.stat, policy.flagged) == (True, False)
