"""Every step of a study in every state: its flag, its read mark, its events, and who is told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from db.ensembles.thresholds import NewThreshold, activate_new
from db.ensembles.versions import EnsembleFacts, active_ensemble, promote, register
from db.lifecycle.arrivals import add_copy
from db.lifecycle.events import Cause, EventAction
from db.lifecycle.rescoring import make_ready_again, rank_again, rank_by_threshold
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import Event, HeatMap, Image, OutboxMessage, Study
from readfirst.domain import Urgency
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.priority import reading_key
from tests.support.studies import (
    MAX_WAIT,
    NOW,
    POLICY,
    a_copy_of,
    a_scored_image,
    an_image,
    give_verdict,
    score_ready,
    written,
)

STUDY = "1.2.3"
LATER = NOW + timedelta(hours=1)
TELLING = replace(POLICY, webhook=True)
HIGH, LOW = 0.9, 0.1


@dataclass(frozen=True)
class State:
    """A study before something happens."""

    flagged: bool
    read: bool
    stat: bool


STATES = [State(*values) for values in product((False, True), repeat=3)]


def a_study(session: Session, state: State) -> None:
    """Scored by ensemble 1, the active one, and by 2 the other way round; 3 is known."""
    with written(session, NOW) as unit:
        image = a_scored_image(unit, NOW, probability=HIGH if state.flagged else LOW, study=STUDY)
        for version in ("2", "3"):
            register(unit.session, EnsembleFacts(version, 0.5, "1"), NOW)
        two = promote(unit.session, "2", NOW)
        make_ready_again(unit, two, limit=9)
        other = LOW if state.flagged else HIGH
        score_ready(unit, NOW, {image.id: other}, version="2")
        ensemble = promote(unit.session, "1", NOW)
        rank_again(unit, ensemble, limit=9)
        if state.read:
            give_verdict(unit, STUDY, VerdictInput())
        if state.stat:
            came_again(unit)


def came_again(unit: UnitOfWork) -> None:
    image = unit.session.scalars(select(Image).order_by(Image.id)).first()
    assert image is not None
    add_copy(unit, a_copy_of(image, unit.at, stat=True), image)


def another_image(unit: UnitOfWork, probability: float) -> None:
    a_scored_image(unit, unit.at, probability=probability, study=STUDY)


def a_night(unit: UnitOfWork, probability: float) -> None:
    three = promote(unit.session, "3", unit.at)
    ids = make_ready_again(unit, three, limit=9)
    score_ready(unit, unit.at, dict.fromkeys(ids, probability), version="3")


def roll_back(unit: UnitOfWork) -> None:
    rank_again(unit, promote(unit.session, "2", unit.at), limit=9)


def another_threshold(unit: UnitOfWork, value: float) -> None:
    """Leave what is read with the threshold by which it was read."""
    new = NewThreshold(
        ensemble_version="1",
        value=value,
        method=ThresholdMethod.VALUE,
        evidence={},
        chosen_by="ann",
    )
    activate_new(unit.session, new, unit.at)
    active = active_ensemble(unit.session)
    assert active is not None
    rank_by_threshold(unit, active, limit=9)


@dataclass(frozen=True)
class Happening:
    """A thing that happens, and its effect on the study. None: as before.

    only_unread: it leaves what is read as it is. flagged: whether it is flagged then. read: whether
    it is read then. told_if_read: whether a flag that it brings is told although the study had been
    read when it began.
    """

    happen: Callable[[UnitOfWork], None]
    cause: Cause
    flagged: Callable[[bool], bool] = lambda before: before
    read: Callable[[bool], bool] = lambda before: before
    stat: bool = False
    told_if_read: bool = False
    only_unread: bool = False


HAPPENINGS = {
    "a flagged film comes in": Happening(
        lambda unit: another_image(unit, HIGH),
        Cause.LIVE,
        flagged=lambda _: True,
        read=lambda _: False,
        told_if_read=True,
    ),
    "an unflagged film comes in": Happening(
        lambda unit: another_image(unit, LOW), Cause.LIVE, read=lambda _: False
    ),
    "a film that is refused comes in": Happening(
        lambda unit: refused_film(unit), Cause.LIVE, read=lambda _: False
    ),
    "a copy comes in as STAT": Happening(came_again, Cause.LIVE, stat=True),
    "the night flags it": Happening(
        lambda unit: a_night(unit, HIGH), Cause.RESCORE, flagged=lambda _: True
    ),
    "the night takes its flag": Happening(
        lambda unit: a_night(unit, LOW), Cause.RESCORE, flagged=lambda _: False
    ),
    "a roll-back turns its flag": Happening(
        roll_back, Cause.ROLLBACK, flagged=lambda before: not before
    ),
    "a lower threshold flags it": Happening(
        lambda unit: another_threshold(unit, 0.05),
        Cause.THRESHOLD,
        flagged=lambda _: True,
        only_unread=True,
    ),
    "a higher threshold takes its flag": Happening(
        lambda unit: another_threshold(unit, 0.95),
        Cause.THRESHOLD,
        flagged=lambda _: False,
        only_unread=True,
    ),
    "a reader gives a verdict": Happening(
        lambda unit: verdict(unit), Cause.READER, read=lambda _: True
    ),
    "a reader withdraws it": Happening(
        lambda unit: verdict(unit, withdrawn=True), Cause.READER, read=lambda _: False
    ),
}


def refused_film(unit: UnitOfWork) -> None:
    refusal = Refused(RefusalCode.TRUNCATED)
    an_image(unit, unit.at, study=STUDY, refusal=refusal)


def verdict(unit: UnitOfWork, *, withdrawn: bool = False) -> None:
    if withdrawn:
        study = unit.session.scalars(select(Study)).one()
        if study.read_at is None:
            give_verdict(unit, STUDY, VerdictInput(), at=unit.at)
    give_verdict(unit, STUDY, VerdictInput(withdrawn=withdrawn), at=unit.at)


def waiting_work(session: Session) -> tuple[int, int]:
    """Count the messages that wait for another system, and the heat maps that wait for a worker."""
    messages = session.scalar(select(func.count()).select_from(OutboxMessage)) or 0
    maps = session.scalar(select(func.count()).select_from(HeatMap)) or 0
    return messages, maps


def flag_events(events: Sequence[Event]) -> list[Event]:
    return [
        event
        for event in events
        if event.action in (EventAction.FLAGGED, EventAction.FLAG_WITHDRAWN)
    ]


@pytest.fixture(scope="module", params=STATES, ids=str)
def prepared(
    request: pytest.FixtureRequest, shared_database: Database
) -> Iterator[tuple[Connection, State]]:
    """A study in each state, made once for all that may happen to it; in no transaction's end."""
    writer = shared_database.engine.execution_options(readfirst_write=True)
    with writer.connect() as connection:
        connection.begin()
        with within(connection) as opened:
            a_study(opened, request.param)
            opened.commit()
        yield connection, request.param
        connection.rollback()


def within(connection: Connection) -> Session:
    """A session of a part of the connection's transaction, to be kept or rolled back by itself."""
    return Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


@pytest.fixture
def state(prepared: tuple[Connection, State]) -> State:
    return prepared[1]


@pytest.fixture
def session(prepared: tuple[Connection, State]) -> Iterator[Session]:
    """A session of the test alone: all that it does is rolled back."""
    with within(prepared[0]) as opened:
        yield opened
        opened.rollback()


@pytest.mark.parametrize("name", HAPPENINGS)
def test_what_happens_to_a_study_in_each_state(session: Session, state: State, name: str) -> None:
    happening = HAPPENINGS[name]
    last = session.scalar(select(func.max(Event.id))) or 0
    messages, maps = waiting_work(session)
    unit = UnitOfWork(session, LATER, TELLING)
    happening.happen(unit)
    unit.write()
    study = session.scalars(select(Study)).one()
    events = session.scalars(select(Event).where(Event.id > last).order_by(Event.id)).all()
    is_left = happening.only_unread and state.read
    flagged = state.flagged if is_left else happening.flagged(state.flagged)
    assert study.flagged is flagged
    assert (study.read_at is not None) is happening.read(state.read)
    assert (study.urgency == Urgency.STAT) is (state.stat or happening.stat)
    assert study.reading_key == reading_key(NOW, flagged=flagged, max_wait=MAX_WAIT)
    changed = flag_events(events)
    is_told = flagged and not state.flagged and (happening.told_if_read or not state.read)
    if flagged == state.flagged:
        assert changed == []
    else:
        (event,) = changed
        assert event.action == (EventAction.FLAGGED if flagged else EventAction.FLAG_WITHDRAWN)
        assert event.cause == happening.cause
        assert event.detail["ensemble"] == study.ensemble_version
        assert event.detail.get("alert") == (is_told if flagged else None)
    raised = [event for event in events if event.action == EventAction.RAISED_TO_STAT]
    assert len(raised) == (happening.stat and not state.stat)
    assert waiting_work(session)[0] - messages == is_told
    # A flagged film that comes in is explained, even in a study that was flagged already. After a
    # roll-back the map is there: it was made when that ensemble had flagged the study.
    is_explained = is_told or name == "a flagged film comes in"
    is_new = is_explained and happening.cause is not Cause.ROLLBACK
    assert waiting_work(session)[1] - maps == is_new
