"""The progress of an ensemble in shadow: what it has scored, and why it scores no more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables import EnsembleVersion, Image, Score, ShadowImage
from readfirst.domain import ImageState


@dataclass(frozen=True, slots=True)
class ShadowProgress:
    """Images that an ensemble has scored beside the active one.

    images: that have a score of any ensemble now. given_up: that its pixel check refused, or that
    failed each time. error: why it rests; null while it does not.
    """

    since: datetime
    images: int
    scored: int
    given_up: int
    error: str | None


def shadow_progress(session: Session, ensemble: EnsembleVersion) -> ShadowProgress | None:
    """Count the images of an ensemble in shadow; None for one that is not."""
    if ensemble.shadow_since is None:
        return None
    of_version = Score.ensemble_version == ensemble.version
    given_up = select(func.count()).where(
        ShadowImage.ensemble_version == ensemble.version, ShadowImage.given_up_at.is_not(None)
    )
    images = select(func.count()).where(Image.state == ImageState.SCORED)
    return ShadowProgress(
        since=ensemble.shadow_since,
        images=session.scalar(images) or 0,
        scored=session.scalar(select(func.count()).select_from(Score).where(of_version)) or 0,
        given_up=session.scalar(given_up) or 0,
        error=ensemble.shadow_error,
    )
