"""Images become ready again when the active ensemble has not seen them."""

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from db.events import note
from db.studies import rank
from db.tables import Ensemble, Image, Score, Study
from readfirst.domain import ImageState, Urgency


def make_ready_again(
    session: Session,
    ensemble: Ensemble,
    at: datetime,
    *,
    limit: int,
    received_since: datetime | None = None,
    after_id: int = 0,
    again: bool = False,
) -> list[int]:
    """Give up to `limit` scored images back to the workers, at the lowest urgency.

    Only images without a score of the ensemble, or all of them if `again`. An image that was
    prepared for another preprocessing goes back to be prepared. Returns the image ids, in order;
    the next slice starts after the last of them.
    """
    query = select(Image).where(Image.state == ImageState.SCORED, Image.id > after_id)
    # What would have to be decoded again, and cannot be any more, stays with the scores it has.
    prepared = Image.preprocessing_version == ensemble.preprocessing_version
    query = query.where(or_(Image.original_removed_at.is_(None), prepared))
    if not again:
        seen = exists().where(
            Score.image_id == Image.id, Score.ensemble_version == ensemble.version
        )
        query = query.where(~seen)
    if received_since is not None:
        query = query.where(Image.received_at >= received_since)
    query = query.order_by(Image.id).limit(limit).with_for_update()
    images = session.scalars(query).all()
    for image in images:
        is_prepared = image.preprocessing_version == ensemble.preprocessing_version
        image.state = ImageState.READY if is_prepared else ImageState.RECEIVED
        image.urgency = Urgency.RESCORE
        note(session, image, "rescore", at, ensemble=ensemble.version)
    return [image.id for image in images]


def rank_again(
    session: Session, ensemble: Ensemble, *, limit: int, max_wait: timedelta, after_id: int = 0
) -> list[int]:
    """Rank up to `limit` studies that the ensemble has scored but that still rank by another.

    So it is after a roll-back: the scores are there, and the ranks follow. Returns the study ids,
    in order; the next slice starts after the last of them.
    """
    scored = (
        select(Image.study_id)
        .join(Score, Score.image_id == Image.id)
        .where(Score.ensemble_version == ensemble.version)
    )
    query = (
        select(Study.id)
        .where(Study.ensemble_version != ensemble.version, Study.id.in_(scored))
        .where(Study.id > after_id)
        .order_by(Study.id)
        .limit(limit)
    )
    study_ids = list(session.scalars(query))
    for study_id in study_ids:
        rank(session, study_id, ensemble.version, max_wait=max_wait)
    return study_ids
