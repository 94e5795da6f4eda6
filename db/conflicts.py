"""Studies that do not fit together: they are kept apart, and reported whenever they are shown."""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.tables import Study
from readfirst.identity import WARNING_SENTENCES, StudyWarning, WarningCode


def study_warnings(
    session: Session, studies: Sequence[Study]
) -> dict[int, tuple[StudyWarning, ...]]:
    """What is odd about each of the studies, by their row ids. Asked anew each time, so that it
    says what is there now.
    """
    accessions = _sharing_accession(session, studies)
    uids = _sharing_uid(session, studies)
    return {
        study.id: tuple(
            _warning(code, study, others)
            for code, others in (
                (WarningCode.STUDY_OF_TWO_PATIENTS, uids.get(said_uid(study), [])),
                (
                    WarningCode.ACCESSION_NUMBER_SHARED,
                    accessions.get(study.accession_number or "", []),
                ),
            )
            if len(others) > 1
        )
        for study in studies
    }


def said_uid(study: Study) -> str:
    """The Study Instance UID as the files say it."""
    return study.shared_study_instance_uid or study.study_instance_uid


def _warning(code: WarningCode, study: Study, sharing: Iterable[str]) -> StudyWarning:
    others = tuple(uid for uid in sharing if uid != study.study_instance_uid)
    return StudyWarning(code, WARNING_SENTENCES[code], others)


def _sharing_accession(session: Session, studies: Sequence[Study]) -> dict[str, list[str]]:
    """The first and the last UID of each number: a site may give one number to thousands."""
    numbers = {study.accession_number for study in studies if study.accession_number}
    uid = Study.study_instance_uid
    query = (
        select(Study.accession_number, func.min(uid), func.max(uid))
        .where(Study.accession_number.in_(numbers), Study.images.any())
        .group_by(Study.accession_number)
        .having(func.count() > 1)
    )
    return {number or "": [first, last] for number, first, last in session.execute(query)}


def _sharing_uid(session: Session, studies: Sequence[Study]) -> dict[str, list[str]]:
    said = {said_uid(study) for study in studies}
    shared = _distinct(session, Study.shared_study_instance_uid, said)
    if not shared:
        return {}
    query = select(Study).where(
        or_(Study.study_instance_uid.in_(shared), Study.shared_study_instance_uid.in_(shared)),
        # A study is empty after its only image turned out to belong to another one.
        Study.images.any(),
    )
    sharing: dict[str, list[str]] = {}
    # Sorted here: SQLite would walk all studies by their ids rather than look for two UIDs.
    for study in sorted(session.scalars(query), key=lambda found: found.id):
        sharing.setdefault(said_uid(study), []).append(study.study_instance_uid)
    return sharing


def _distinct(
    session: Session, column: InstrumentedAttribute[str | None], values: set[str]
) -> set[str]:
    found = session.scalars(select(column).where(column.in_(values)).distinct())
    return {value for value in found if value is not None}
