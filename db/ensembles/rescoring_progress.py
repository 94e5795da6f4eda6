"""The progress of scoring again: what the active ensemble has scored, and what is left."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from db.tables import EnsembleVersion, Image, Score
from readfirst.domain import ImageState, Urgency


@dataclass(frozen=True, slots=True)
class RescoringProgress:
    """Images that have been scored by any ensemble. scored: those by this one too.

    queued: images that wait for it now, live ones included.
    """

    images: int
    scored: int
    queued: int


def rescoring_progress(session: Session, version: str) -> RescoringProgress:
    """Count the images that an ensemble version has scored, and those that wait."""
    by_state = dict(session.execute(select(Image.state, func.count()).group_by(Image.state)).all())
    scored = select(func.count(Score.image_id.distinct())).where(Score.ensemble_version == version)
    ever = select(func.count(Score.image_id.distinct()))
    return RescoringProgress(
        images=session.scalar(ever) or 0,
        scored=session.scalar(scored) or 0,
        queued=by_state.get(ImageState.READY, 0) + by_state.get(ImageState.RECEIVED, 0),
    )


def can_be_scored(ensemble: EnsembleVersion) -> ColumnElement[bool]:
    """Scored images that an ensemble can score too.

    What would have to be decoded again, and cannot be any more, stays with the scores it has.
    """
    is_prepared = Image.preprocessing_version == ensemble.preprocessing_version
    may_be_prepared = or_(Image.original_removed_at.is_(None), is_prepared)
    # No index of states helps here: SQLite would sort all scored images for the newest of them.
    state = func.coalesce(Image.state, Image.state)
    return and_(state == ImageState.SCORED, may_be_prepared)


def lacks_score(ensemble: EnsembleVersion) -> ColumnElement[bool]:
    """Images that an ensemble has not scored."""
    has_score = exists().where(
        Score.image_id == Image.id, Score.ensemble_version == ensemble.version
    )
    return ~has_score


def waiting_again(session: Session) -> int:
    """Count the images that wait to be scored once more, or are in work."""
    return session.scalar(select(func.count()).where(_waits_again())) or 0


def left_to_score(session: Session, ensemble: EnsembleVersion) -> int:
    """Count the images that an ensemble has still to score again, those in work included."""
    not_given = select(func.count()).where(can_be_scored(ensemble), lacks_score(ensemble))
    return (session.scalar(not_given) or 0) + waiting_again(session)


def _waits_again() -> ColumnElement[bool]:
    waiting = Image.state.in_((ImageState.RECEIVED, ImageState.READY))
    return and_(waiting, Image.urgency == Urgency.RESCORE)


def newest_left(
    session: Session, ensemble: EnsembleVersion, before_id: int | None = None
) -> int | None:
    """The newest image that an ensemble has still to score again. before_id: of older ones only."""
    query = select(Image.id).where(can_be_scored(ensemble), lacks_score(ensemble))
    if before_id is not None:
        query = query.where(Image.id < before_id)
    return session.scalar(query.order_by(Image.id.desc()).limit(1))


def free_again(session: Session, most: int) -> int:
    """Count the images that wait to be scored once more and that nobody has tried, up to `most`."""
    free = select(Image.id).where(_waits_again(), Image.lease_until.is_(None)).limit(most)
    return session.scalar(select(func.count()).select_from(free.subquery())) or 0
