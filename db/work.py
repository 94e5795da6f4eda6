"""Work as rows: claimed for a while, given back, or given up. No broker is needed to know it.

A claim takes the most urgent free images and holds them until its lease ends. Its token fences
it: a worker whose lease ran out, and whose image another one took, changes nothing any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from db.events import note
from db.images import refuse
from db.tables import Image
from readfirst.domain import Exposure, ImageState
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: The states in which work is still to be done.
WAITING = (ImageState.RECEIVED, ImageState.READY)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms work is claimed: for how long, and how often before it is given up."""

    lease: timedelta
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """An image that this worker holds."""

    image_id: int
    sha256: str
    token: str


def claim_received(session: Session, now: datetime, terms: Terms) -> Claimed | None:
    """Take the most urgent image that waits for its pixels to be prepared."""
    image = session.scalar(_free(ImageState.RECEIVED, now, terms).limit(1))
    return _hold([image], now, terms)[0] if image else None


def claim_ready(
    session: Session, limit: int, now: datetime, terms: Terms, preprocessing_version: str
) -> list[Claimed]:
    """Take up to `limit` model-ready images, the most urgent first.

    An image whose earlier claim failed is taken alone, so that one that kills its worker takes no
    others with it.
    """
    fits = Image.preprocessing_version == preprocessing_version
    query = _free(ImageState.READY, now, terms).where(fits).limit(limit)
    images = list(session.scalars(query))
    if images and images[0].attempts:
        return _hold(images[:1], now, terms)
    return _hold([image for image in images if not image.attempts], now, terms)


def held_image(session: Session, claimed: Claimed) -> Image | None:
    """The claimed image for writing, or None if the lease went to another worker."""
    query = select(Image).where(Image.id == claimed.image_id, Image.lease_token == claimed.token)
    return session.scalar(query.with_for_update())


def mark_ready(
    session: Session,
    claimed: Claimed,
    preprocessing_version: str,
    at: datetime,
    exposure: Exposure | None = None,
) -> bool:
    """The model-ready image is kept: received → ready. False if the lease was lost.

    exposure: as measured on that image.
    """
    image = held_image(session, claimed)
    if image is None:
        return False
    image.state, image.ready_at = ImageState.READY, at
    image.preprocessing_version = preprocessing_version
    if exposure is not None:
        image.median_grey, image.clipped_share = exposure.median_grey, exposure.clipped_share
    release(image)
    note(session, image, "ready", at)
    return True


def refuse_claimed(session: Session, claimed: Claimed, refusal: Refused, at: datetime) -> None:
    """The claimed image turned out not to be one that can be scored."""
    image = held_image(session, claimed)
    if image is not None:
        refuse(session, image, refusal, at)


def give_back(session: Session, claimed: Claimed, error: str, at: datetime, terms: Terms) -> None:
    """An attempt failed: free the image for later, or refuse it after the last attempt."""
    image = held_image(session, claimed)
    if image is None:
        return
    note(session, image, "attempt_failed", at, error=error)
    if image.attempts >= terms.max_attempts:
        refuse(session, image, Refused(RefusalCode.PROCESSING_FAILED, error), at)
        return
    image.last_error, image.lease_token = error, None
    image.lease_until = at + timedelta(seconds=2**image.attempts)


def prepare_again(session: Session, claimed: Claimed, at: datetime) -> None:
    """The model-ready image is gone: ready → received, to be made from the original again."""
    image = held_image(session, claimed)
    if image is not None:
        image.state = ImageState.RECEIVED
        release(image)
        note(session, image, "prepare_again", at)


def give_up(session: Session, now: datetime, terms: Terms) -> int:
    """Refuse what killed its worker at every attempt. Returns how many images that were."""
    spent = and_(Image.state.in_(WAITING), Image.attempts >= terms.max_attempts, _unheld(now))
    images = session.scalars(select(Image).where(spent).with_for_update(skip_locked=True)).all()
    for image in images:
        detail = image.last_error or "the worker died each time"
        refuse(session, image, Refused(RefusalCode.PROCESSING_FAILED, detail), now)
    return len(images)


def waiting(session: Session, now: datetime) -> dict[ImageState, int]:
    """How many images wait, free to be claimed, in each state that work is done on."""
    query = (
        select(Image.state, func.count())
        .where(Image.state.in_(WAITING), _unheld(now))
        .group_by(Image.state)
    )
    return dict(session.execute(query).all())


def _free(state: ImageState, now: datetime, terms: Terms) -> Select[Image]:
    return (
        select(Image)
        .where(Image.state == state, Image.attempts < terms.max_attempts, _unheld(now))
        .order_by(Image.urgency, Image.id)
        .with_for_update(skip_locked=True)
    )


def _unheld(now: datetime) -> ColumnElement[bool]:
    return or_(Image.lease_until.is_(None), Image.lease_until <= now)


def _hold(images: Sequence[Image], now: datetime, terms: Terms) -> list[Claimed]:
    token = uuid4().hex
    for image in images:
        image.attempts += 1
        image.lease_until, image.lease_token = now + terms.lease, token
    return [Claimed(image.id, image.sha256, token) for image in images]


def release(image: Image) -> None:
    """The work on an image succeeded: it is held by nobody and starts its attempts anew."""
    image.attempts, image.last_error = 0, None
    image.lease_until = image.lease_token = None
