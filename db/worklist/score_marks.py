"""The marks of the scores by which images count, under the thresholds of today."""

from collections.abc import Callable, Collection

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from db.ensembles.shadows import score_counts
from db.lifecycle.study import counting_scores
from db.session import rows_of
from db.study_conditions import counting_threshold
from db.tables import EnsembleVersion, Image, Score, Study
from readfirst.domain import ImageState
from readfirst.studies.marks import Mark
from readfirst.studies.prevalence import at_prevalence
from readfirst.studies.score_marks import score_marks

#: Made once: to put a statement together takes longer than to run it.
_SCORES = (
    select(
        Score.image_id,
        Score.ensemble_version == func.coalesce(Study.ranked_by, Study.ensemble_version),
        Score.members,
        counting_threshold(),
        Score.unlike,
        EnsembleVersion.prevalence,
    )
    .join(Image, Score.image_id == Image.id)
    .join(Study, Image.study_id == Study.id)
    .join(EnsembleVersion, Score.ensemble_version == EnsembleVersion.version)
    .where(Image.study_id.in_(bindparam("study_ids", expanding=True)))
    .where(Image.state != ImageState.REFUSED, score_counts())
    .order_by(Score.id)
)


def marks_of_scores(
    session: Session, study_ids: Collection[int], prevalence: float | None
) -> dict[int, tuple[Mark, ...]]:
    """The marks of the score of each image of these studies, by the images' row ids.

    An image counts with its score by the ensemble that its study was ranked by, or with its latest
    one. prevalence: of the site, for which probabilities are stated. An image without a mark is
    left out.
    """
    rows = rows_of(session, _SCORES, {"study_ids": list(study_ids)})
    answers = counting_scores(
        (image_id, bool(is_active), (members, threshold, unlike, presupposed))
        for image_id, is_active, members, threshold, unlike, presupposed in rows
    )
    marks = {
        image_id: score_marks(members, threshold, unlike, _at_site(presupposed, prevalence))
        for image_id, (members, threshold, unlike, presupposed) in answers.items()
    }
    return {image_id: each for image_id, each in marks.items() if each}


def _at_site(presupposed: float | None, prevalence: float | None) -> Callable[[float], float]:
    return lambda probability: at_prevalence(probability, presupposed, prevalence)
