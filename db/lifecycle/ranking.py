"""The rank of a study: brought in line with its scores, wherever they come from."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import select

from db.lifecycle import study as study_steps
from db.lifecycle.events import Cause
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Image, Score, Study
from readfirst.refusals import RefusalCode


def rank(unit: UnitOfWork, causes: Mapping[int, Cause], active_version: str) -> None:
    """Bring flag, probability and reading key of studies in line with their scores.

    causes: of what their ranks change by, by the numbers of the studies.
    """
    locked = (
        select(Study)
        .where(Study.id.in_(causes))
        # In one order everywhere, so that two workers never wait for each other.
        .order_by(Study.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    studies = unit.session.scalars(locked).all()
    query = (
        select(Image.study_id, Score)
        .join(Score, Score.image_id == Image.id)
        # The score of a part is not that of the film.
        .where(Image.code.is_distinct_from(RefusalCode.REPLACED_BY_WHOLE))
        .where(Image.study_id.in_(causes))
        .order_by(Score.id)
    )
    scores = defaultdict[int, list[Score]](list)
    for study_id, score in unit.session.execute(query):
        scores[study_id].append(score)
    for study in studies:
        deciding = study_steps.deciding_score(scores[study.id], active_version)
        max_wait, cause = unit.policy.max_wait, causes[study.id]
        unit.add(*study_steps.rank(study, deciding, active_version, max_wait, cause))
