"""A STAT study alerts once: as it comes in, or when it becomes STAT."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from db.access.audit import Actor
from db.lifecycle.arrivals import add_copy
from db.lifecycle.events import EventAction
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Event
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.studies import (
    NOW,
    POLICY,
    a_copy_of,
    a_header,
    an_image,
    give_verdict,
    lifecycle,
)

MINUTE = timedelta(minutes=1)
STAT = a_header(stat=True)


def alerts(database: Database) -> list[str]:
    """The actions of the events that alert."""
    with database.read() as session:
        events = session.scalars(select(Event).order_by(Event.id)).all()
        return [event.action for event in events if event.detail.get("alert")]


def test_a_study_that_comes_in_as_stat_alerts_once(database: Database) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=STAT)
    assert alerts(database) == [EventAction.RECEIVED]
    with database.write() as session:
        an_image(session, NOW + MINUTE, study="1.1", header=STAT)
        an_image(session, NOW + MINUTE, study="1.2")
    assert alerts(database) == [EventAction.RECEIVED], "neither its second image nor a routine one"


def test_a_study_that_becomes_stat_alerts_unless_it_was_read(database: Database) -> None:
    with database.write() as session:
        unread = an_image(session, NOW, study="1.1")
        read = an_image(session, NOW, study="1.2")
        give_verdict(session, "1.2", VerdictInput(), Actor(None, None), NOW)
    with lifecycle(database, NOW + MINUTE) as unit:
        add_copy(unit, a_copy_of(read, NOW + MINUTE, stat=True), unit.session.merge(read))
    assert alerts(database) == []
    with lifecycle(database, NOW + MINUTE) as unit:
        add_copy(unit, a_copy_of(unread, NOW + MINUTE, stat=True), unit.session.merge(unread))
    assert alerts(database) == [EventAction.RAISED_TO_STAT]


def test_an_old_study_that_is_ordered_as_stat_is_no_prior_and_alerts(database: Database) -> None:
    old = a_header(stat=True, study_datetime=NOW - timedelta(days=400))
    policy = replace(POLICY, prior_after=timedelta(days=30))
    with lifecycle(database, NOW, policy) as unit:
        assert an_image(unit, NOW, header=old).study.prior_since is None
    assert alerts(database) == [EventAction.RECEIVED]


def test_a_file_without_a_film_alerts_nobody(database: Database) -> None:
    with database.write() as session:
        an_image(session, header=STAT, refusal=Refused(RefusalCode.EMPTY_FILE))
    assert alerts(database) == []
    with database.write() as session:
        an_image(session, header=STAT, refusal=Refused(RefusalCode.TRUNCATED))
    assert alerts(database) == [EventAction.RECEIVED], "somebody waits for it"
