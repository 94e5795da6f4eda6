"""Originals that a site need not keep any longer. The rows and events stay for good."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from db.lifecycle.events import Cause, EventAction, image_event
from db.lifecycle.sending.claims import studies_to_send
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Image
from readfirst.domain import ImageState


def due_originals(
    unit: UnitOfWork,
    *,
    refused_before: datetime | None,
    scored_before: datetime | None,
    after_id: int,
    limit: int,
) -> list[Image]:
    """Images, locked, whose originals were kept long enough; None keeps that kind for ever.

    An accepted image that is not scored is never among them, nor one that waits to be scored again,
    nor one of a study of which a result is still to be sent: results say what headers say.
    In order of their numbers; the next slice starts after the last of them.
    """
    due = or_(
        _since(ImageState.REFUSED, Image.refused_at, refused_before),
        _since(ImageState.SCORED, Image.scored_at, scored_before),
    )
    query = select(Image).where(due, Image.original_removed_at.is_(None), Image.id > after_id)
    query = query.where(Image.study_id.not_in(studies_to_send()))
    # What a worker holds at the moment is left to the next night.
    query = query.order_by(Image.id).limit(limit).with_for_update(key_share=True, skip_locked=True)
    return list(unit.session.scalars(query))


def original_removed(unit: UnitOfWork, image: Image) -> None:
    """The image's row says from now on that its original is gone on purpose."""
    image.original_removed_at = unit.at
    unit.add(image_event(EventAction.ORIGINAL_REMOVED, image, Cause.RETENTION))


def _since(
    state: ImageState, became: InstrumentedAttribute[datetime | None], before: datetime | None
) -> ColumnElement[bool]:
    return false() if before is None else and_(Image.state == state, became <= before)
