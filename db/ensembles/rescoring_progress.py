"""The progress of scoring again: what the active ensemble has scored, and what is left."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import Image, Score
from readfirst.domain import ImageState


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
