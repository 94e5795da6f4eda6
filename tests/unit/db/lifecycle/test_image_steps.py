"""Every step of an image in every state, on the row alone and through the functions for workers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.images import Identity
from db.lifecycle import image as steps
from db.lifecycle.arrivals import News, Rejudged, add_copy, replace_beginning
from db.lifecycle.events import Cause, EventAction
from db.lifecycle.image import STEPS, ImageStep, InvalidStep
from db.lifecycle.lease import Lease
from db.lifecycle.rescoring import make_ready_again
from db.lifecycle.retention import due_originals, original_removed
from db.lifecycle.retries import refused_image, try_again
from db.lifecycle.scoring import record
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.work import (
    ClaimedImage,
    attempt_excused,
    attempt_failed,
    attempt_interrupted,
    claim_ready,
    claim_received,
    give_up,
    mark_ready,
    prepare_again,
    refuse_claimed,
)
from db.tables import Event, Image, Score, Study
from readfirst.domain import FileKind, Header, ImageScore, ImageState, Urgency
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.marks import MarkCode, mark
from tests.support.studies import (
    LEASE,
    NOW,
    a_copy_of,
    a_header,
    a_ready_image,
    a_scored_image,
    an_ensemble,
    an_image,
    written,
)

LATER = NOW + timedelta(hours=1)
TRUNCATED = Refused(RefusalCode.TRUNCATED)
RECEIVED, READY = ImageState.RECEIVED, ImageState.READY
SCORED, REFUSED = ImageState.SCORED, ImageState.REFUSED
#: What each step does in each state: written once more by hand. What is missing is a fault.
EXPECTED = {
    (ImageStep.REFUSE, RECEIVED): REFUSED,
    (ImageStep.REFUSE, READY): REFUSED,
    (ImageStep.REFUSE, REFUSED): REFUSED,
    (ImageStep.PREPARED, RECEIVED): READY,
    (ImageStep.SCORED, READY): SCORED,
    (ImageStep.PREPARE_AGAIN, READY): RECEIVED,
    (ImageStep.REPLACE, RECEIVED): REFUSED,
    (ImageStep.REPLACE, READY): REFUSED,
    (ImageStep.REPLACE, SCORED): REFUSED,
    (ImageStep.RETRY, REFUSED): RECEIVED,
    (ImageStep.RESCORE, SCORED): READY,
    (ImageStep.RESCORE_UNPREPARED, SCORED): RECEIVED,
}


def an_image_that_is(unit: UnitOfWork, state: ImageState) -> Image:
    if state is RECEIVED:
        return an_image(unit)
    if state is READY:
        return a_ready_image(unit)
    if state is SCORED:
        return a_scored_image(unit, probability=0.9)
    return an_image(unit, refusal=TRUNCATED)


def take(step: ImageStep, image: Image) -> None:
    """Take a step on the row itself."""
    if step is ImageStep.REFUSE:
        steps.refuse(image, TRUNCATED, LATER, Cause.LIVE)
    elif step is ImageStep.PREPARED:
        steps.mark_prepared(image, "1", LATER, None)
    elif step is ImageStep.SCORED:
        steps.scored(image, Score(ensemble_version="1", probability=0.9), LATER)
    elif step is ImageStep.PREPARE_AGAIN:
        steps.prepare_again(image)
    elif step is ImageStep.REPLACE:
        steps.replace(image, "0" * 64, LATER, Cause.LIVE)
    elif step is ImageStep.RETRY:
        steps.retry(image)
    else:
        image.preprocessing_version = "1"
        steps.rescore(image, "1" if step is ImageStep.RESCORE else "another", "2")


@pytest.mark.parametrize(("step", "state"), list(product(ImageStep, ImageState)))
def test_a_step_leads_where_the_table_says_or_is_refused(
    step: ImageStep, state: ImageState
) -> None:
    image = Image(state=state, study=Study(urgency=Urgency.LIVE), attempts=0)
    after = EXPECTED.get((step, state))
    if after is None:
        with pytest.raises(InvalidStep):
            take(step, image)
        assert image.state is state, "nothing of it was done"
    else:
        take(step, image)
        assert image.state is after


def test_the_table_of_steps_has_no_more_than_this() -> None:
    assert {
        (step, before): after for step, leads in STEPS.items() for before, after in leads.items()
    } == EXPECTED


@dataclass(frozen=True)
class Case:
    """The effect of a function on an image in one state: the state after it, and its events."""

    after: ImageState
    actions: tuple[EventAction, ...] = ()


#: Through the functions that workers and intake call. A state that is not named stays as it is, and
#: nothing happens.
Function = Callable[[UnitOfWork, Image], object]


def claimed(unit: UnitOfWork, image: Image) -> ClaimedImage:
    """The image if a worker can claim it; else a lease that nobody has given."""
    took = claim_received(unit) or next(iter(claim_ready(unit, 1, "1")), None)
    return took or ClaimedImage(Lease(image.id, "forged"), image.sha256)


def fail_for_the_last_time(unit: UnitOfWork, image: Image) -> None:
    image.attempts = image.failures = LEASE.max_attempts - 1
    unit.session.flush()
    attempt_failed(unit, claimed(unit, image), "ValueError")


def interrupt_for_the_last_time(unit: UnitOfWork, image: Image) -> None:
    image.attempts = LEASE.max_unproven - 1
    unit.session.flush()
    code = RefusalCode.DECODER_CRASHED
    attempt_interrupted(unit, claimed(unit, image), "killed", code)
    assert image.code in (code, RefusalCode.TRUNCATED, None)


def excuse_many_times(unit: UnitOfWork, image: Image) -> None:
    image.attempts = image.excused = 10 * LEASE.max_unproven
    unit.session.flush()
    give_up(unit)
    attempt_excused(unit, claimed(unit, image), "No space left on device")


def die_at_every_attempt(unit: UnitOfWork, image: Image) -> None:
    image.attempts = LEASE.max_unproven
    unit.session.flush()
    give_up(unit)


def die_a_few_times(unit: UnitOfWork, image: Image) -> None:
    image.attempts = LEASE.max_unproven - 1
    unit.session.flush()
    give_up(unit)


def retried(unit: UnitOfWork, image: Image, refusal: Refused | None) -> None:
    refused = refused_image(unit, image.id)
    if refused is not None:
        uid = refused.study.study_instance_uid
        identity = Identity(
            study_instance_uid=uid,
            series_instance_uid=refused.series_instance_uid or "",
            sop_instance_uid=refused.sop_instance_uid,
        )
        try_again(unit, refused, identity, a_header(), refusal=refusal)


def prepared_in_time(unit: UnitOfWork, image: Image) -> None:
    took = claim_received(unit)
    mark_ready(unit, took or ClaimedImage(Lease(image.id, "forged"), image.sha256), "1")


def sent_back(unit: UnitOfWork, image: Image) -> None:
    took = next(iter(claim_ready(unit, 1, "1")), None)
    prepare_again(unit, took or ClaimedImage(Lease(image.id, "forged"), image.sha256))


def scored(unit: UnitOfWork, image: Image) -> None:
    took = next(iter(claim_ready(unit, 1, "1")), None)
    claimed = took or ClaimedImage(Lease(image.id, "forged"), image.sha256)
    record(unit, [(claimed, ImageScore(0.9, {"cnn": 0.9}))], an_ensemble(unit.session))


def came_again(
    unit: UnitOfWork, image: Image, *, stat: bool = False, news: News | None = None
) -> None:
    add_copy(unit, a_copy_of(image, unit.at, stat=stat), image, news)


#: A copy that adds nothing but an age, by which the film is out of the scope.
OUT_OF_SCOPE = News(
    header=Header(kind=FileKind.DICOM, rows=1, columns=1),
    rejudged=Rejudged(marks=(mark(MarkCode.ADULT),), refusal=Refused(RefusalCode.ADULT)),
)


def kept_long_enough(unit: UnitOfWork, image: Image) -> None:
    limits = {"refused_before": LATER, "scored_before": LATER}
    for due in due_originals(unit, **limits, after_id=0, limit=9):
        original_removed(unit, due)


def rescored(unit: UnitOfWork, image: Image) -> None:
    make_ready_again(unit, an_ensemble(unit.session, "2"), limit=9)


FUNCTIONS: dict[str, tuple[Function, dict[ImageState, Case]]] = {
    "prepared": (prepared_in_time, {RECEIVED: Case(READY, (EventAction.READY,))}),
    "scored": (scored, {READY: Case(SCORED, (EventAction.SCORED, EventAction.FLAGGED))}),
    "refused by a worker": (
        lambda unit, image: refuse_claimed(unit, claimed(unit, image), TRUNCATED),
        {state: Case(REFUSED, (EventAction.REFUSED,)) for state in (RECEIVED, READY)},
    ),
    "failed": (
        lambda unit, image: attempt_failed(unit, claimed(unit, image), "MemoryError"),
        {state: Case(state, (EventAction.ATTEMPT_FAILED,)) for state in (RECEIVED, READY)},
    ),
    "failed for the last time": (
        fail_for_the_last_time,
        {
            state: Case(REFUSED, (EventAction.ATTEMPT_FAILED, EventAction.REFUSED))
            for state in (RECEIVED, READY)
        },
    ),
    "interrupted": (
        lambda unit, image: attempt_interrupted(unit, claimed(unit, image), "killed"),
        {state: Case(state, (EventAction.ATTEMPT_FAILED,)) for state in (RECEIVED, READY)},
    ),
    "interrupted for the last time": (
        interrupt_for_the_last_time,
        {
            state: Case(REFUSED, (EventAction.ATTEMPT_FAILED, EventAction.REFUSED))
            for state in (RECEIVED, READY)
        },
    ),
    "excused, however often": (
        excuse_many_times,
        {state: Case(state, (EventAction.ATTEMPT_FAILED,)) for state in (RECEIVED, READY)},
    ),
    "killed its worker a few times": (die_a_few_times, {}),
    "killed its worker each time": (
        die_at_every_attempt,
        {state: Case(REFUSED, (EventAction.REFUSED,)) for state in (RECEIVED, READY)},
    ),
    "model-ready image gone": (sent_back, {READY: Case(RECEIVED, (EventAction.PREPARE_AGAIN,))}),
    "tried again": (
        lambda unit, image: retried(unit, image, None),
        {REFUSED: Case(RECEIVED, (EventAction.RETRIED, EventAction.RECEIVED))},
    ),
    "tried again in vain": (
        lambda unit, image: retried(unit, image, TRUNCATED),
        {REFUSED: Case(REFUSED, (EventAction.RETRIED, EventAction.REFUSED))},
    ),
    "scored again": (rescored, {SCORED: Case(READY, (EventAction.RESCORE,))}),
    "came again": (
        came_again,
        {state: Case(state, (EventAction.DUPLICATE,)) for state in ImageState},
    ),
    "came again as STAT": (
        lambda unit, image: came_again(unit, image, stat=True),
        {
            state: Case(state, (EventAction.DUPLICATE, EventAction.RAISED_TO_STAT))
            for state in ImageState
        },
    ),
    "the whole film came": (
        lambda unit, image: replace_beginning(unit, image.id, "0" * 64, Cause.LIVE),
        {
            RECEIVED: Case(REFUSED, (EventAction.REPLACED,)),
            READY: Case(REFUSED, (EventAction.REPLACED,)),
            SCORED: Case(REFUSED, (EventAction.REPLACED, EventAction.FLAG_WITHDRAWN)),
        },
    ),
    "a copy says that it is an adult's": (
        lambda unit, image: came_again(unit, image, news=OUT_OF_SCOPE),
        {
            RECEIVED: Case(REFUSED, (EventAction.DUPLICATE, EventAction.REFUSED)),
            READY: Case(REFUSED, (EventAction.DUPLICATE, EventAction.REFUSED)),
            SCORED: Case(SCORED, (EventAction.DUPLICATE, EventAction.MARKED)),
            REFUSED: Case(REFUSED, (EventAction.DUPLICATE,)),
        },
    ),
    "kept long enough": (
        kept_long_enough,
        {state: Case(state, (EventAction.ORIGINAL_REMOVED,)) for state in (SCORED, REFUSED)},
    ),
}


@pytest.mark.parametrize(("name", "state"), list(product(FUNCTIONS, ImageState)))
def test_what_happens_to_an_image_in_each_state(
    session: Session, name: str, state: ImageState
) -> None:
    happen, cases = FUNCTIONS[name]
    with written(session, NOW) as unit:
        image = an_image_that_is(unit, state)
    before = session.scalars(select(Event.id)).all()
    with written(session, LATER) as unit:
        happen(unit, image)
    expected = cases.get(state, Case(state))
    query = select(Event).where(Event.id.not_in(before)).order_by(Event.id)
    events = session.scalars(query).all()
    assert image.state is expected.after
    assert tuple(EventAction(event.action) for event in events) == expected.actions
    assert all(event.cause in set(Cause) for event in events)
