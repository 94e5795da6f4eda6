"""Scores: added once for each image and ensemble version; the ranks of studies follow them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ensembles.shadows import queue_for_shadows
from db.ensembles.thresholds import ActiveThreshold, active_thresholds
from db.ensembles.versions import active_ensemble
from db.lifecycle import image as image_steps
from db.lifecycle.events import Cause
from db.lifecycle.ranking import rank, settle_priors
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.work import ClaimedImage, held_images
from db.tables import EnsembleVersion, Image, Score, Study
from readfirst.domain import ImageScore

#: Two runs of one version on one image may differ by this much (batch size, arithmetic).
SAME_SCORE = 0.01


@dataclass(frozen=True, slots=True)
class BatchTime:
    """The time that the networks took for a batch. images: that were in it."""

    seconds: float
    images: int


def record(
    unit: UnitOfWork,
    results: Sequence[tuple[ClaimedImage, ImageScore]],
    ensemble: EnsembleVersion,
    time: BatchTime | None = None,
) -> int:
    """Write the scores of a batch and rank its studies anew. Ensembles in shadow follow later.

    time: of the batch, if it was measured. Returns how many images it scored; those whose lease was
    lost are left to their new holder.
    """
    images = held_images(unit, [claimed for claimed, _ in results])
    known = known_scores(unit.session, images, ensemble)
    thresholds = active_thresholds(unit.session)
    causes: dict[int, Cause] = {}
    for claimed, result in results:
        image = images.get(claimed.image_id)
        if image is None:
            continue
        cause = image_steps.work_cause(image)
        # A film of a study that comes in is news, whatever else is scored again beside it.
        if causes.get(image.study_id) is not Cause.LIVE:
            causes[image.study_id] = cause
        threshold = thresholds.for_score(ensemble.version, result)
        score = new_score(image.id, result, ensemble.version, threshold, unit.at, time)
        _score(unit, image, score, known.get(image.id))
    unit.session.flush()
    queue_for_shadows(unit.session, images, unit.at)
    active = active_ensemble(unit.session) or ensemble
    rank(unit, causes, active.version)
    _settle_priors(unit, causes)
    return len(images)


def _settle_priors(unit: UnitOfWork, causes: Mapping[int, Cause]) -> None:
    """Decide once more what was left out while these studies were locked."""
    live = [study_id for study_id, cause in causes.items() if cause is Cause.LIVE]
    if live:
        studies = unit.session.scalars(select(Study).where(Study.id.in_(live))).all()
        settle_priors(unit, studies, Cause.LIVE)


def known_scores(
    session: Session, image_ids: Iterable[int], ensemble: EnsembleVersion
) -> dict[int, Score]:
    """The scores that the ensemble has given these images already, by the images' numbers."""
    query = select(Score).where(
        Score.image_id.in_(image_ids), Score.ensemble_version == ensemble.version
    )
    return {score.image_id: score for score in session.scalars(query)}


def new_score(
    image_id: int,
    result: ImageScore,
    version: str,
    threshold: ActiveThreshold,
    at: datetime,
    time: BatchTime | None,
) -> Score:
    """The row of a score. threshold: that of its population which counts now; it is kept."""
    return Score(
        image_id=image_id,
        ensemble_version=version,
        probability=result.probability,
        members=result.members,
        population=result.population,
        unlike=result.unlike,
        threshold=threshold.value,
        threshold_version=threshold.version,
        flagged=result.probability >= threshold.value,
        scored_at=at,
        seconds=None if time is None else time.seconds / time.images,
        batch_size=None if time is None else time.images,
    )


def _score(unit: UnitOfWork, image: Image, score: Score, known: Score | None) -> None:
    if known is not None:
        now = score.probability
        same = abs(known.probability - now) <= SAME_SCORE
        unit.add(image_steps.scored_again(image, known, now, unit.at, same=same))
        return
    unit.session.add(score)
    unit.add(image_steps.scored(image, score, unit.at))
