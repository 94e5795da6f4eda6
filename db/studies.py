"""Studies: made by one image, joined by later ones, ranked by their most suspicious one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.events import note
from db.tables import Image, Score, Study
from readfirst.domain import Header, ImageState, Urgency, uid_from_digest
from readfirst.identity import Patient, conflict, is_same
from readfirst.priority import reading_key

#: What a study takes from the first of its images that says it.
DESCRIPTION = (
    "patient_id",
    "issuer_of_patient_id",
    "patient_name",
    "patient_birth_date",
    "patient_sex",
    "patient_age",
    "accession_number",
    "referring_physician_name",
    "institution_name",
    "study_datetime",
)


def study_of(
    session: Session,
    study_instance_uid: str,
    header: Header | None,
    received_at: datetime,
    *,
    sha256: str,
    max_wait: timedelta,
) -> Study:
    """The study of an image that says this UID and this patient, made now if it is the first.

    A later image can raise it to STAT, and fills in what the earlier ones left empty. An image of
    another patient makes a study of its own, with a UID made from its content (sha256).
    """
    studies = _locked(session, study_instance_uid)
    study = _fitting(studies, patient_of(header)) if header else next(iter(studies), None)
    if study is None and studies:
        study = _apart(session, study_instance_uid, received_at, sha256, max_wait)
    elif study is None:
        study = _new(session, study_instance_uid, received_at, max_wait)
    study.last_received_at = max(study.last_received_at, received_at)
    if header is not None:
        _describe(study, header)
    session.flush()
    if header is not None and header.stat:
        raise_to_stat(session, study)
    return study


def _new(
    session: Session, study_instance_uid: str, received_at: datetime, max_wait: timedelta
) -> Study:
    study = Study(
        study_instance_uid=study_instance_uid,
        received_at=received_at,
        last_received_at=received_at,
        urgency=Urgency.LIVE,
        flagged=False,
        reading_key=reading_key(received_at, flagged=False, max_wait=max_wait),
    )
    session.add(study)
    return study


def _apart(
    session: Session,
    study_instance_uid: str,
    received_at: datetime,
    sha256: str,
    max_wait: timedelta,
) -> Study:
    """A study of its own for an image whose UID is another patient's.

    It may be there already: the image was refused and is tried again.
    """
    made = uid_from_digest(sha256, "study")
    known = session.scalar(select(Study).where(Study.study_instance_uid == made).with_for_update())
    study = known or _new(session, made, received_at, max_wait)
    study.shared_study_instance_uid = study_instance_uid
    return study


def patient_of(said: Header | Study) -> Patient:
    """Whose an image, or a study, is."""
    return Patient(
        patient_id=said.patient_id,
        issuer_of_patient_id=said.issuer_of_patient_id,
        patient_name=said.patient_name,
        patient_birth_date=said.patient_birth_date,
    )


def raise_to_stat(session: Session, study: Study) -> None:
    """Put a study, and those of its images that wait for work, before all routine ones."""
    if study.urgency == Urgency.STAT:
        return
    study.urgency = Urgency.STAT
    waiting = (ImageState.RECEIVED, ImageState.READY)
    query = select(Image).where(Image.study_id == study.id, Image.state.in_(waiting))
    # What a worker holds at this moment is in work already.
    for image in session.scalars(query.with_for_update(skip_locked=True)):
        image.urgency = Urgency.STAT


def reopen(session: Session, image: Image, at: datetime) -> None:
    """Make a study unread again by an image that its reader cannot have seen."""
    study = session.get_one(Study, image.study_id, with_for_update=True)
    if study.read_at is not None:
        study.read_at = None
        note(session, image, "unread", at)


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


def _locked(session: Session, study_instance_uid: str) -> Sequence[Study]:
    """The studies whose images say this UID: more than one where their patients differ."""
    says_it = or_(
        Study.study_instance_uid == study_instance_uid,
        Study.shared_study_instance_uid == study_instance_uid,
    )
    return session.scalars(select(Study).where(says_it).order_by(Study.id).with_for_update()).all()


def _fitting(studies: Sequence[Study], patient: Patient) -> Study | None:
    """The study of this patient; an image that does not say whose it is joins one, not of two."""
    same = (study for study in studies if is_same(patient_of(study), patient))
    if found := next(same, None):
        return found
    alone = len(studies) == 1 and not conflict(patient_of(studies[0]), patient)
    return studies[0] if alone else None


def _describe(study: Study, header: Header) -> None:
    for name in DESCRIPTION:
        if getattr(study, name) is None:
            setattr(study, name, getattr(header, name))
