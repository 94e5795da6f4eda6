"""Studies: made with their first image, ranked by their most suspicious one."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Image, Score, Study
from readfirst.domain import Header, Urgency
from readfirst.priority import reading_key


def study_of(
    session: Session,
    study_instance_uid: str,
    header: Header | None,
    received_at: datetime,
    *,
    max_wait: timedelta,
) -> Study:
    """The study with this UID, made now if this is its first image.

    A later image can raise it to STAT, and fills in what the earlier ones left empty.
    """
    study = _locked(session, study_instance_uid)
    if study is None:
        study = Study(
            study_instance_uid=study_instance_uid,
            received_at=received_at,
            urgency=Urgency.LIVE,
            flagged=False,
            reading_key=reading_key(received_at, flagged=False, max_wait=max_wait),
        )
        session.add(study)
    if header is not None:
        _describe(study, header)
    session.flush()
    return study


def rank(session: Session, study_id: int, active_version: str, *, max_wait: timedelta) -> Study:
    """Bring a study's probability, flag and reading key in line with its scores.

    An image counts with its score of the active ensemble, or with its latest while it has none.
    """
    study = session.get_one(Study, study_id, with_for_update=True)
    scores = _deciding_scores(session, study_id, active_version)
    if scores:
        top = max(scores, key=lambda score: score.probability)
        study.probability, study.ensemble_version = top.probability, top.ensemble_version
        study.flagged = any(score.flagged for score in scores)
    study.reading_key = reading_key(study.received_at, flagged=study.flagged, max_wait=max_wait)
    return study


def _deciding_scores(session: Session, study_id: int, active_version: str) -> list[Score]:
    query = select(Score).join(Image).where(Image.study_id == study_id).order_by(Score.id)
    deciding: dict[int, Score] = {}
    for score in session.scalars(query):
        held = deciding.get(score.image_id)
        if held is None or held.ensemble_version != active_version:
            deciding[score.image_id] = score
    return list(deciding.values())


def _locked(session: Session, study_instance_uid: str) -> Study | None:
    query = select(Study).where(Study.study_instance_uid == study_instance_uid)
    return session.scalar(query.with_for_update())


def _describe(study: Study, header: Header) -> None:
    if header.stat:
        study.urgency = Urgency.STAT
    for name in (
        "patient_id",
        "patient_name",
        "patient_birth_date",
        "patient_sex",
        "patient_age",
        "accession_number",
        "study_datetime",
    ):
        if getattr(study, name) is None:
            setattr(study, name, getattr(header, name))
