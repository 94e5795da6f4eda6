"""Retries that somebody asks for on the page: noted here, tried by a worker, and followed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, note
from db.lifecycle.unit_of_work import UnitOfWork
from db.session import insert_into
from db.tables import Image, WantedRetry
from db.worklist.refused import RefusedFilter, refused_conditions
from readfirst.domain import ImageState


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOutcome:
    """The numbers of images that were wanted at one moment, by what has become of them."""

    waiting: int
    in_work: int
    scored: int
    refused: int

    @property
    def is_over(self) -> bool:
        """True if nothing of it waits or is in work."""
        return not (self.waiting or self.in_work)


def want_retry(
    unit: UnitOfWork, which: RefusedFilter, by: Actor, *, image_id: int | None = None
) -> int:
    """Have refused images tried again: one, or all that are meant. Returns how many.

    What waits already is not wanted twice.
    """
    conditions = refused_conditions(which)
    if image_id is not None:
        conditions.append(Image.id == image_id)
    images = select(Image.id, literal(unit.at, WantedRetry.wanted_at.type)).where(*conditions)
    session = unit.session
    columns = [WantedRetry.image_id, WantedRetry.wanted_at]
    rows = insert_into(session, WantedRetry).from_select(columns, images.order_by(Image.id))
    wanted = rows.on_conflict_do_nothing().returning(WantedRetry.id)
    new = len(session.scalars(wanted).all())
    if new:
        detail: dict[str, Any] = {
            "images": new,
            "code": which.code.value if which.code else None,
        }
        note(session, by, AuditAction.RETRY_WANTED, unit.at, **detail)
    return new


def take_wanted(unit: UnitOfWork) -> int | None:
    """Take the image that waits longest for its retry; it is nobody else's then."""
    query = (
        select(WantedRetry)
        .where(WantedRetry.tried_at.is_(None))
        .order_by(WantedRetry.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = unit.session.scalar(query)
    if row is None:
        return None
    row.tried_at = unit.at
    return row.image_id


def pending_retries(session: Session, image_ids: list[int]) -> set[int]:
    """Return those of these images that wait for their retry."""
    query = select(WantedRetry.image_id).where(
        WantedRetry.tried_at.is_(None), WantedRetry.image_id.in_(image_ids)
    )
    return set(session.scalars(query))


def retry_outcome(session: Session, wanted_at: datetime) -> RetryOutcome:
    """Count what has become of the images that were wanted at a moment."""
    query = (
        select(WantedRetry.tried_at.is_(None), Image.state, func.count())
        .join(Image, WantedRetry.image_id == Image.id)
        .where(WantedRetry.wanted_at == wanted_at)
        .group_by(WantedRetry.tried_at.is_(None), Image.state)
    )
    numbers = dict.fromkeys(("waiting", "in_work", "scored", "refused"), 0)
    names = {ImageState.SCORED: "scored", ImageState.REFUSED: "refused"}
    for waits, state, count in session.execute(query):
        numbers["waiting" if waits else names.get(state, "in_work")] += count
    return RetryOutcome(**numbers)
