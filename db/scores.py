"""Scores: added once for each image and ensemble version, and never changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.announcements import announce
from db.events import note, note_study
from db.heat_maps import want
from db.studies import rank
from db.tables import Ensemble, Image, Score, Study
from db.work import Claimed, held_image, release
from readfirst.domain import ImageScore, ImageState, Urgency
from readfirst.heat import HeatMethod

#: Two runs of one version on one image may differ by this much (batch size, arithmetic).
SAME_SCORE = 0.01


def record(
    session: Session,
    results: Sequence[tuple[Claimed, ImageScore]],
    ensemble: Ensemble,
    at: datetime,
    *,
    max_wait: timedelta,
    announced: bool = False,
) -> int:
    """Write the scores of a batch and rank its studies anew, in the caller's one transaction.

    announced: whether another system is told of studies that are flagged now and were not.
    Returns how many images it scored; those whose lease was lost are left to their new holder.
    """
    images = []
    for claimed, result in results:
        image = held_image(session, claimed)
        if image is not None:
            _score(session, image, result, ensemble, at)
            images.append(image)
    session.flush()
    # In one order everywhere, so that two workers never wait for each other.
    for study_id in sorted({image.study_id for image in images}):
        was_flagged = session.get_one(Study, study_id).flagged
        study = rank(session, study_id, ensemble.version, max_wait=max_wait)
        if study.flagged and not was_flagged:
            note_study(session, study, "flagged", at, ensemble=ensemble.version)
            if announced:
                announce(session, study, at)
    return len(images)


def deciding_members(session: Session, studies: Sequence[Study]) -> dict[int, dict[str, float]]:
    """What each network says of the image that a study ranks as, by the rows' ids of the studies.

    Empty for a study without a score.
    """
    query = (
        select(Study.id, Score.members)
        .join(Image, Image.study_id == Study.id)
        .join(Score, Score.image_id == Image.id)
        .where(
            Study.id.in_([study.id for study in studies]),
            Score.ensemble_version == Study.ensemble_version,
            Score.probability == Study.probability,
        )
        # Of two images alike, the one that came first.
        .order_by(Score.id.desc())
    )
    return {study.id: {} for study in studies} | dict(session.execute(query).all())


def _score(
    session: Session, image: Image, result: ImageScore, ensemble: Ensemble, at: datetime
) -> None:
    image.state, image.scored_at = ImageState.SCORED, at
    release(image)
    known = session.scalar(
        select(Score).where(Score.image_id == image.id, Score.ensemble_version == ensemble.version)
    )
    if known is not None:
        same = abs(known.probability - result.probability) <= SAME_SCORE
        action = "score_confirmed" if same else "score_not_reproduced"
        note(session, image, action, at, ensemble=ensemble.version, now=result.probability)
        return
    session.add(
        Score(
            image_id=image.id,
            ensemble_version=ensemble.version,
            probability=result.probability,
            members=result.members,
            threshold=ensemble.threshold,
            flagged=result.probability >= ensemble.threshold,
            scored_at=at,
        )
    )
    note(session, image, "scored", at, ensemble=ensemble.version, probability=result.probability)
    # Not for those of a night, which may be all films there are.
    if result.probability >= ensemble.threshold and image.urgency < Urgency.RESCORE:
        want(session, image.id, ensemble.version, HeatMethod.GRAD_CAM, at, asked=False)
