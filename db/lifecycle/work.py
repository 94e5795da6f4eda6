"""Work as rows: images are claimed for a while, given back, or given up. No broker knows of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from db.lifecycle import image as image_steps
from db.lifecycle import lease
from db.lifecycle.events import EventAction, image_event
from db.lifecycle.image import WAITING, age_and_view, work_cause
from db.lifecycle.lease import Lease
from db.lifecycle.retries import code_when_retried
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Image
from readfirst.domain import AgeAndView, Exposure, ImageState, Urgency
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.marks import Mark

#: What is said of an attempt that ended without a word.
WORKER_DIED = "the worker died"


@dataclass(frozen=True, slots=True)
class ClaimedImage:
    """An image that this worker holds. film: what decides its population."""

    lease: Lease
    sha256: str
    film: AgeAndView = field(default_factory=AgeAndView)

    @property
    def image_id(self) -> int:
        """The number of its row."""
        return self.lease.row_id


def claim_received(unit: UnitOfWork) -> ClaimedImage | None:
    """Take the most urgent image that waits for its pixels to be prepared."""
    images = _most_urgent(unit, ImageState.RECEIVED, 1)
    return _claim(unit, images)[0] if images else None


def claim_ready(unit: UnitOfWork, limit: int, preprocessing_version: str) -> list[ClaimedImage]:
    """Take up to `limit` model inputs, the most urgent first.

    What is scored again is in no batch with films that come in: a film waits for at most the
    batch that is in work. An image whose earlier claim failed is taken alone, so that one that
    kills its worker takes no others with it; not if that was a fault of the machine.
    """
    fits = Image.preprocessing_version == preprocessing_version
    images = _most_urgent(unit, ImageState.READY, limit, fits)
    if images and _is_suspect(images[0]):
        return _claim(unit, images[:1])
    return _claim(unit, [image for image in images if not _is_suspect(image)])


def held_image(unit: UnitOfWork, claimed: ClaimedImage) -> Image | None:
    """The claimed image for writing, or None if the lease went to another worker."""
    return held_images(unit, [claimed]).get(claimed.image_id)


def held_images(unit: UnitOfWork, claimed: Iterable[ClaimedImage]) -> dict[int, Image]:
    """The claimed images for writing by their numbers, without those whose lease was lost."""
    leases = [image.lease for image in claimed]
    return lease.leased_rows(unit.session, Image, leases, selectinload(Image.study))


def mark_ready(
    unit: UnitOfWork,
    claimed: ClaimedImage,
    preprocessing_version: str,
    exposure: Exposure | None = None,
    marks: tuple[Mark, ...] = (),
) -> bool:
    """The model input is kept: received → ready. False if the lease was lost.

    exposure: as measured on that image. marks: by what decoding found.
    """
    image = held_image(unit, claimed)
    if image is None:
        return False
    for event in image_steps.add_marks(image, marks):
        unit.add(event)
    unit.add(image_steps.mark_prepared(image, preprocessing_version, unit.at, exposure))
    return True


def refuse_claimed(unit: UnitOfWork, claimed: ClaimedImage, refusal: Refused) -> None:
    """The claimed image turned out not to be one that can be scored."""
    image = held_image(unit, claimed)
    if image is not None:
        _refuse(unit, image, refusal)


def attempt_failed(unit: UnitOfWork, claimed: ClaimedImage, error: str) -> None:
    """Free the image for later, or refuse it after the last attempt: it was its own doing."""
    image = held_image(unit, claimed)
    if image is not None:
        lease.fail(image)
        _try_later(unit, image, Refused(RefusalCode.PROCESSING_FAILED, error), error)


def attempt_interrupted(
    unit: UnitOfWork,
    claimed: ClaimedImage,
    error: str,
    code: RefusalCode = RefusalCode.PROCESSING_FAILED,
) -> None:
    """Free the image for later: nobody knows whose doing it was.

    code: what it is refused by after very many such attempts.
    """
    image = held_image(unit, claimed)
    if image is not None:
        _try_later(unit, image, Refused(code, error), error)


def attempt_excused(unit: UnitOfWork, claimed: ClaimedImage, error: str) -> None:
    """Free the image for later, however often: a fault of the machine is none of the film."""
    image = held_image(unit, claimed)
    if image is not None:
        if image.last_error != error:
            # Told once, however long it lasts.
            _note_failed(unit, image, error)
        lease.excuse(image, unit.at, unit.policy.lease)


def prepare_again(unit: UnitOfWork, claimed: ClaimedImage) -> None:
    """The model input is gone: ready → received, to be made from the original again."""
    image = held_image(unit, claimed)
    if image is not None:
        unit.add(image_steps.prepare_again(image))


def give_up(unit: UnitOfWork) -> int:
    """Refuse what killed its worker at every attempt. Returns how many images that were."""
    spent = lease.is_spent(Image, unit.at, unit.policy.lease)
    query = select(Image).where(Image.state.in_(WAITING), spent)
    images = unit.session.scalars(query.with_for_update(key_share=True, skip_locked=True)).all()
    for image in images:
        _refuse(
            unit, image, Refused(RefusalCode.PROCESSING_FAILED, image.last_error or WORKER_DIED)
        )
    return len(images)


def waiting(session: Session, now: datetime) -> dict[ImageState, int]:
    """Count the images that wait, free to be claimed, in each state that work is done on."""
    query = (
        select(Image.state, func.count())
        .where(Image.state.in_(WAITING), lease.is_free(Image, now))
        .group_by(Image.state)
    )
    return dict(session.execute(query).all())


def _most_urgent(
    unit: UnitOfWork, state: ImageState, limit: int, *which: ColumnElement[bool]
) -> Sequence[Image]:
    """Films that come in, the oldest first; without any, what is scored again, the newest first."""
    query = (
        select(Image)
        .where(
            Image.state == state,
            lease.has_attempts(Image, unit.policy.lease),
            lease.is_free(Image, unit.at),
            *which,
        )
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
        .options(selectinload(Image.study))
    )
    live = query.where(Image.urgency < Urgency.RESCORE).order_by(Image.urgency, Image.id)
    again = query.where(Image.urgency == Urgency.RESCORE).order_by(Image.id.desc())
    return unit.session.scalars(live).all() or unit.session.scalars(again).all()


def _is_suspect(image: Image) -> bool:
    """Tell whether an attempt failed that was not excused."""
    return image.attempts > image.excused


def _try_later(unit: UnitOfWork, image: Image, refusal: Refused, error: str) -> None:
    """Free the image after a pause, or refuse it after its last attempt."""
    _note_failed(unit, image, error)
    if lease.is_last_attempt(image, unit.policy.lease):
        _refuse(unit, image, refusal)
    else:
        lease.pause(image, unit.at, unit.policy.lease)


def _note_failed(unit: UnitOfWork, image: Image, error: str) -> None:
    image.last_error = error
    unit.add(image_event(EventAction.ATTEMPT_FAILED, image, work_cause(image), error=error))


def _claim(unit: UnitOfWork, images: Sequence[Image]) -> list[ClaimedImage]:
    for image in images:
        if image.lease_token is not None:
            # Its lease ended, and nobody said how the work did.
            _note_failed(unit, image, WORKER_DIED)
    leases = lease.take(images, unit.at, unit.policy.lease)
    return [
        ClaimedImage(each, image.sha256, age_and_view(image))
        for each, image in zip(leases, images, strict=True)
    ]


def _refuse(unit: UnitOfWork, image: Image, refusal: Refused) -> None:
    code_before = code_when_retried(unit, image)
    cause = work_cause(image)
    unit.add(image_steps.refuse(image, refusal, unit.at, cause, code_before=code_before))
