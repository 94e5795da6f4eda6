"""Retries that somebody wants on the page: tried by a worker, once, and followed to their end."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select, update

from db.access.audit import Actor, AuditAction, entries
from db.tables import Image
from db.worklist.refused import RefusedFilter
from db.worklist.wanted_retries import (
    RetryOutcome,
    pending_retries,
    retry_outcome,
    want_retry,
)
from ingest.inbox.claim import Claim
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.support.files import a_dicom_file
from tests.support.workers import Worker
from worker.upkeep.retry import retry_next_wanted

Drop = Callable[..., Claim]
LEAD = Actor("lea", "127.0.0.1")
EVERY = RefusedFilter()


def want(
    worker: Worker, which: RefusedFilter = EVERY, image_id: int | None = None
) -> tuple[int, datetime]:
    """Want a retry as the page does. Returns how many images, and when."""
    with worker.use_cases.units.begin() as unit:
        return want_retry(unit, which, LEAD, image_id=image_id), unit.at


def try_all(worker: Worker) -> int:
    """Take the step of a sweep. Returns how many were tried."""
    tried = 0
    while retry_next_wanted(worker.use_cases.units, worker.use_cases.intake):
        tried += 1
    return tried


def outcome(worker: Worker, wanted_at: datetime) -> RetryOutcome:
    with worker.database.read() as session:
        return retry_outcome(session, wanted_at)


def two_refused(worker: Worker, drop: Drop) -> list[int]:
    """A good film that an older release refused, and a lateral one, which is refused again."""
    worker.take_in(drop(FOLDER / "study-01.dcm"))
    path = a_dicom_file(worker.settings.home_path / "lateral.dcm", ViewPosition="LL")
    worker.take_in(drop(path))
    with worker.database.write() as session:
        good, lateral = session.scalars(select(Image.id).order_by(Image.id)).all()
        changes = {"state": ImageState.REFUSED, "reason": "old", "refused_at": datetime.now(UTC)}
        code = RefusalCode.PIXELS_UNREADABLE
        session.execute(update(Image).where(Image.id == good).values(code=code, **changes))
    return [good, lateral]


def test_all_are_tried_once_and_followed_to_their_end(worker: Worker, drop: Drop) -> None:
    ids = two_refused(worker, drop)
    images, at = want(worker)
    assert images == 2
    assert outcome(worker, at) == RetryOutcome(waiting=2, in_work=0, scored=0, refused=0)
    assert want(worker)[0] == 0, "what waits already is not wanted twice"
    with worker.database.read() as session:
        assert pending_retries(session, ids) == set(ids)
    assert try_all(worker) == 2
    assert outcome(worker, at) == RetryOutcome(waiting=0, in_work=1, scored=0, refused=1)
    assert not outcome(worker, at).is_over
    while worker.prepare_next():
        pass
    worker.score_batch()
    assert outcome(worker, at) == RetryOutcome(waiting=0, in_work=0, scored=1, refused=1)
    assert outcome(worker, at).is_over
    assert try_all(worker) == 0
    with worker.database.read() as session:
        (entry,) = [e for e in entries(session, limit=9) if e.action == AuditAction.RETRY_WANTED]
    assert (entry.account, entry.detail) == ("lea", {"images": 2, "code": None})


def test_a_row_or_a_code_are_tried_alone(worker: Worker, drop: Drop) -> None:
    good, lateral = two_refused(worker, drop)
    assert want(worker, RefusedFilter(code=RefusalCode.TRUNCATED))[0] == 0
    assert want(worker, image_id=lateral)[0] == 1
    assert want(worker, image_id=9999)[0] == 0
    with worker.database.read() as session:
        assert pending_retries(session, [good, lateral]) == {lateral}
    assert want(worker, RefusedFilter(code=RefusalCode.PIXELS_UNREADABLE))[0] == 1
    assert try_all(worker) == 2
    with worker.database.read() as session:
        states = session.scalars(select(Image.state).order_by(Image.id)).all()
    assert states == [ImageState.RECEIVED, ImageState.REFUSED]
    assert want(worker, image_id=good)[0] == 0, "it is in work"
