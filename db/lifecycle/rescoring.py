"""Another ensemble is active, or it has another threshold: studies rank by these.

An ensemble scores images anew; by scores that are there, studies rank at once.
"""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from db.ensembles.rescoring_progress import can_be_scored, lacks_score
from db.ensembles.thresholds import active_thresholds
from db.lifecycle import image as image_steps
from db.lifecycle import study as study_steps
from db.lifecycle.events import Cause
from db.lifecycle.ranking import rank
from db.lifecycle.unit_of_work import UnitOfWork
from db.study_conditions import is_unread
from db.tables import EnsembleVersion, Image, Score, Study


def make_ready_again(
    unit: UnitOfWork,
    ensemble: EnsembleVersion,
    *,
    limit: int,
    received_since: datetime | None = None,
    before_id: int | None = None,
    again: bool = False,
) -> list[int]:
    """Give up to `limit` scored images back to the workers, the newest first, behind live ones.

    Only images without a score of the ensemble, or all of them if `again`. An image that was
    prepared for another preprocessing goes back to be prepared. Returns the image ids, in order;
    the next slice starts before the last of them. What another worker holds is left out.
    """
    query = select(Image).where(can_be_scored(ensemble))
    if before_id is not None:
        query = query.where(Image.id < before_id)
    if not again:
        query = query.where(lacks_score(ensemble))
    if received_since is not None:
        query = query.where(Image.received_at >= received_since)
    query = query.order_by(Image.id.desc()).limit(limit)
    query = query.with_for_update(key_share=True, skip_locked=True)
    images = unit.session.scalars(query.options(selectinload(Image.study))).all()
    for image in images:
        event = image_steps.rescore(image, ensemble.preprocessing_version, ensemble.version)
        unit.add(event)
    return [image.id for image in images]


def rank_again(
    unit: UnitOfWork, ensemble: EnsembleVersion, *, limit: int, after_id: int = 0
) -> list[int]:
    """Rank up to `limit` studies that the active ensemble has scored, and that rank by another.

    So it is after a roll-back, or of what was scored in shadow: the scores are there, and the ranks
    follow. Returns the study ids, in order; the next slice starts after the last of them.
    """
    scored = (
        select(Image.study_id)
        .join(Score, Score.image_id == Image.id)
        .where(Score.ensemble_version == ensemble.version)
    )
    query = (
        select(Study.id)
        .where(Study.ranked_by.is_distinct_from(ensemble.version), Study.id.in_(scored))
        .where(Study.id > after_id)
        .order_by(Study.id)
        .limit(limit)
    )
    study_ids = list(unit.session.scalars(query))
    # Scores of a shadow count from now on, in the figures of the days on which the films came in.
    moments = select(Study.received_at).where(Study.id.in_(study_ids))
    of_images = select(Image.received_at).where(Image.study_id.in_(study_ids))
    unit.count_anew(unit.session.scalars(moments.union(of_images)))
    rank(unit, dict.fromkeys(study_ids, Cause.ROLLBACK), ensemble.version)
    return study_ids


def rank_by_threshold(unit: UnitOfWork, ensemble: EnsembleVersion, *, limit: int) -> list[int]:
    """Rank up to `limit` unread studies that do not know the last change of thresholds.

    What is read keeps the threshold by which it was read. ensemble: the active one. Returns the
    study ids; the next slice are those that are left.
    """
    query = (
        select(Study.id)
        .where(Study.read_at.is_(None), Study.score_id.is_not(None))
        .where(Study.threshold_change < active_thresholds(unit.session).change)
        .order_by(Study.threshold_change, Study.id)
        .limit(limit)
    )
    study_ids = list(unit.session.scalars(query))
    rank(unit, dict.fromkeys(study_ids, Cause.THRESHOLD), ensemble.version)
    return study_ids


def rank_by_mode(unit: UnitOfWork, *, limit: int) -> list[int]:
    """Let up to `limit` unread flagged studies stand where the site's mode puts them.

    In silent mode a flag gives no head start; once the site is live, it does. Returns the study
    ids; the next slice are those that are left.
    """
    silent = unit.policy.silent
    if not silent and not unit.policy.head_start:
        # So short that a clock does not show it: nothing moves.
        return []
    moved = Study.reading_key < Study.received_at
    # By its name alone, as its index says it: SQLite takes `flagged = 1` for something else.
    which = (
        select(Study.id)
        .where(text("flagged"), is_unread(), moved if silent else ~moved)
        .order_by(Study.urgency, Study.reading_key, Study.id)
        .limit(limit)
    )
    query = (
        select(Study)
        .where(Study.id.in_(unit.session.scalars(which).all()))
        .order_by(Study.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    studies = unit.session.scalars(query).all()
    for study in studies:
        study_steps.stand(study, unit.policy.head_start)
    unit.session.flush()
    return [study.id for study in studies]
