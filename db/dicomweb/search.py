"""Studies by what QIDO-RS searches for (PS3.18 10.6), the latest arrival first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, defer, selectinload

from db.dicomweb.records import DicomImage, DicomStudy
from db.disclosures import searched
from db.tables import Image, Study
from readfirst.domain import FileKind, ImageState

#: Attributes of a study that are matched as texts, by the names of their columns.
TEXTS = (
    "patient_name",
    "patient_id",
    "accession_number",
    "referring_physician_name",
    "study_description",
)
#: Names are compared without regard to capitals (PS3.4 C.2.2.2.1).
NAMES = ("patient_name", "referring_physician_name")
LATEST_FIRST = (Study.received_at.desc(), Study.id.desc())
#: By which `%`, `_` and itself stand for themselves in LIKE.
ESCAPE = "\\"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyMatch:
    """The studies that are wanted. Empty values match every study.

    texts: by the names of `TEXTS`; `*` stands for any characters, `?` for one (PS3.4 C.2.2.2.4).
    since, until: of the study's date and time, the second exclusive. modalities: any of them.
    """

    study_instance_uids: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    modalities: tuple[str, ...] = ()


def find_studies(
    session: Session, match: StudyMatch, *, limit: int, offset: int = 0
) -> list[DicomStudy]:
    """Return studies that match and have a DICOM image, the latest arrival first."""
    for _, text in match.texts:
        searched(text)
    query = (
        select(Study)
        .where(_has_dicom(), *study_conditions(match))
        .options(selectinload(Study.images), defer(Study.search_text))
        .order_by(*LATEST_FIRST)
        .limit(limit)
        .offset(offset)
    )
    return [study_record(study) for study in session.scalars(query)]


def dicom_study(session: Session, study_instance_uid: str) -> DicomStudy | None:
    """Return a study with its DICOM images; None if there is none that has one."""
    match = StudyMatch(study_instance_uids=(study_instance_uid,))
    return next(iter(find_studies(session, match, limit=1)), None)


def study_conditions(match: StudyMatch) -> list[ColumnElement[bool]]:
    """The studies that match, with a DICOM image or without."""
    conditions: list[ColumnElement[bool]] = []
    if match.study_instance_uids:
        conditions.append(Study.study_instance_uid.in_(match.study_instance_uids))
    conditions += [_matches(name, text) for name, text in match.texts]
    if match.since is not None:
        conditions.append(Study.study_datetime >= match.since)
    if match.until is not None:
        conditions.append(Study.study_datetime < match.until)
    if match.modalities:
        of_modality = aliased(Image)
        conditions.append(
            exists().where(
                of_modality.study_id == Study.id,
                of_modality.modality.in_(match.modalities),
                *is_dicom(of_modality),
            )
        )
    return conditions


def _has_dicom() -> ColumnElement[bool]:
    image = aliased(Image)
    return exists().where(image.study_id == Study.id, *is_dicom(image))


def is_dicom(image: type[Image]) -> tuple[ColumnElement[bool], ...]:
    """An object that names itself, and its series: else DICOMweb has no address for it."""
    return image.kind == FileKind.DICOM, image.series_instance_uid.is_not(None)


def _matches(name: str, text: str) -> ColumnElement[bool]:
    column: InstrumentedAttribute[str | None] = getattr(Study, name)
    if not set(text) & {"*", "?"}:
        if name in NAMES:
            return func.lower(column) == text.lower()
        return column == text
    if not text.strip("*"):
        # PS3.4 C.2.2.2.4: it matches what is empty, too.
        return true()
    for sign in (ESCAPE, "%", "_"):
        text = text.replace(sign, ESCAPE + sign)
    pattern = text.replace("*", "%").replace("?", "_").lower()
    return func.lower(column).like(pattern, escape=ESCAPE)


def study_record(study: Study) -> DicomStudy:
    """Make the record of a study whose images are loaded."""
    return DicomStudy(
        study_instance_uid=study.study_instance_uid,
        patient_id=study.patient_id,
        issuer_of_patient_id=study.issuer_of_patient_id,
        patient_name=study.patient_name,
        patient_birth_date=study.patient_birth_date,
        patient_sex=study.patient_sex,
        accession_number=study.accession_number,
        referring_physician_name=study.referring_physician_name,
        study_description=study.study_description,
        study_datetime=study.study_datetime,
        images=tuple(_images(study.images)),
    )


def _images(images: Sequence[Image]) -> list[DicomImage]:
    """Those that are DICOM objects, each UID once: the accepted one before those refused."""
    by_uid: dict[str, Image] = {}
    for image in images:
        if image.kind is not FileKind.DICOM or image.series_instance_uid is None:
            continue
        first = by_uid.setdefault(image.sop_instance_uid, image)
        if first.state is ImageState.REFUSED and image.state is not ImageState.REFUSED:
            by_uid[image.sop_instance_uid] = image
    return [
        DicomImage(
            sha256=image.sha256,
            sop_instance_uid=image.sop_instance_uid,
            series_instance_uid=image.series_instance_uid or "",
            transfer_syntax_uid=image.transfer_syntax_uid,
            modality=image.modality,
            rows=image.rows,
            columns=image.columns,
            original_removed=image.original_removed_at is not None,
        )
        for image in by_uid.values()
    ]
