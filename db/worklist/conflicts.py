"""Studies that do not fit together: they are kept apart, and reported whenever they are shown."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from db.lifecycle.events import EventAction
from db.session import rows_of
from db.tables import Event, Study
from readfirst.formatting import attribute_names
from readfirst.language.texts import gettext
from readfirst.studies.identity import WARNING_SENTENCES, StudyWarning, WarningCode

#: Made once: to put a statement together takes longer than to run it.
_CONTRADICTED = (
    select(Event.study_id, Event.detail)
    .where(Event.study_id.in_(bindparam("ids", expanding=True)))
    .where(Event.action == EventAction.CONTRADICTED.value)
    .order_by(Event.id)
)
_OF_ACCESSION = (
    select(
        Study.accession_number,
        func.min(Study.study_instance_uid),
        func.max(Study.study_instance_uid),
    )
    .where(Study.accession_number.in_(bindparam("numbers", expanding=True)), Study.images.any())
    .group_by(Study.accession_number)
    .having(func.count() > 1)
)
_SHARED = (
    select(Study.shared_study_instance_uid)
    .where(Study.shared_study_instance_uid.in_(bindparam("uids", expanding=True)))
    .distinct()
)


def study_warnings(
    session: Session, studies: Sequence[Study], of_dicom: Collection[int]
) -> dict[int, tuple[StudyWarning, ...]]:
    """Return what is odd about each of the studies, by their row ids, as it is now.

    of_dicom: the row ids of those that have a DICOM file.
    """
    accessions = _sharing_accession(session, studies)
    uids = _sharing_uid(session, studies)
    contradicted = _contradicted(session, studies)
    return {
        study.id: tuple(
            _of_sharing(WarningCode.STUDY_OF_TWO_PATIENTS, study, uids.get(uid_in_files(study)))
            + _of_uid(study, is_dicom=study.id in of_dicom)
            + _of_sharing(
                WarningCode.ACCESSION_NUMBER_SHARED,
                study,
                accessions.get(study.accession_number or ""),
            )
            + _of_contradiction(contradicted.get(study.id, []))
        )
        for study in studies
    }


def uid_in_files(study: Study) -> str:
    """Return the Study Instance UID as the files say it, or the one made in its place."""
    return study.shared_study_instance_uid or study.study_instance_uid


def _of_uid(study: Study, *, is_dicom: bool) -> list[StudyWarning]:
    """Warn of a UID made for DICOM files; pictures never bring one, nor miss it."""
    uid_brought = study.shared_study_instance_uid and not study.invalid_study_instance_uid
    if not study.study_instance_uid_made_here or uid_brought or not is_dicom:
        return []
    code = WarningCode.STUDY_UID_MADE_HERE
    return [StudyWarning(code, gettext(WARNING_SENTENCES[code]), ())]


def _of_sharing(
    code: WarningCode, study: Study, sharing: Sequence[str] | None
) -> list[StudyWarning]:
    if sharing is None or len(sharing) < 2:
        return []
    others = tuple(uid for uid in sharing if uid != study.study_instance_uid)
    return [StudyWarning(code, gettext(WARNING_SENTENCES[code]), others)]


def _of_contradiction(names: Sequence[str]) -> list[StudyWarning]:
    """Return the warning that files of a study contradict each other; the names say in what."""
    if not names:
        return []
    code = WarningCode.HEADERS_CONTRADICT
    return [
        StudyWarning(code, f"{gettext(WARNING_SENTENCES[code])} ({attribute_names(names)})", ())
    ]


def _contradicted(session: Session, studies: Sequence[Study]) -> dict[int, list[str]]:
    """The attributes that a later file says otherwise, each once, by the ids of the studies."""
    names: dict[int, dict[str, None]] = {}
    for study_id, detail in rows_of(session, _CONTRADICTED, {"ids": [each.id for each in studies]}):
        names.setdefault(study_id, {}).update(dict.fromkeys(detail["fields"]))
    return {study_id: list(fields) for study_id, fields in names.items()}


def _sharing_accession(session: Session, studies: Sequence[Study]) -> dict[str, list[str]]:
    """The first and the last UID of each number: a site may give one number to thousands."""
    numbers = {study.accession_number for study in studies if study.accession_number}
    if not numbers:
        return {}
    rows = rows_of(session, _OF_ACCESSION, {"numbers": list(numbers)})
    return {number or "": [first, last] for number, first, last in rows}


def _sharing_uid(session: Session, studies: Sequence[Study]) -> dict[str, list[str]]:
    uids = {uid_in_files(study) for study in studies}
    shared = set(rows_of(session, _SHARED, {"uids": list(uids)}).scalars())
    if not shared:
        return {}
    query = select(Study).where(
        or_(Study.study_instance_uid.in_(shared), Study.shared_study_instance_uid.in_(shared)),
        # A study is empty after its only image turned out to belong to another one.
        Study.images.any(),
    )
    sharing: dict[str, list[str]] = {}
    # Sorted here: SQLite would walk all studies by their ids rather than look for two UIDs.
    for study in sorted(session.scalars(query), key=lambda study: study.id):
        sharing.setdefault(uid_in_files(study), []).append(study.study_instance_uid)
    return sharing
