"""Identifiers of C-FIND and QIDO-RS as values, and back. Pure.

A PACS may leave anything out and write anything: what is not as it must be counts as not said.
"""

from datetime import date
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ingest.dicom.attributes import is_uid
from ingest.dicom.dates import EARLIEST_BIRTH, read_day
from readfirst.pacs.matches import PacsSeries, PacsStudy, RetrieveTarget, StudyQuery

#: What is asked of a study besides the keys; PS3.4 C.6.2.1.2.
STUDY_KEYS = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedInstances",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
)
SERIES_KEYS = ("SeriesInstanceUID", "Modality", "BodyPartExamined")
IMAGE_KEYS = ("SOPInstanceUID",)
#: PS3.3 C.12.1.1.2: UTF-8, for keys that have letters of any language.
UTF_8 = "ISO_IR 192"


def study_keys(query: StudyQuery) -> dict[str, str]:
    """The keys of a query that have values, by keyword."""
    keys = {
        "StudyDate": date_range(query.from_date, query.to_date),
        "AccessionNumber": query.accession_number,
        "StudyInstanceUID": query.study_instance_uid,
        "PatientID": query.patient_id,
        "ModalitiesInStudy": query.modality,
    }
    return {keyword: value for keyword, value in keys.items() if value}


def date_range(from_date: date | None, to_date: date | None) -> str | None:
    """A range of dates (PS3.4 C.2.2.2.5); a single day stands by itself."""
    if from_date is None and to_date is None:
        return None
    first = f"{from_date:%Y%m%d}" if from_date else ""
    last = f"{to_date:%Y%m%d}" if to_date else ""
    return first if first == last else f"{first}-{last}"


def identifier(level: str, keys: dict[str, str], returned: tuple[str, ...]) -> Dataset:
    """The identifier of a request: keys with values, and those that are to be returned."""
    dataset = Dataset()
    if not all(value.isascii() for value in keys.values()):
        dataset.SpecificCharacterSet = UTF_8
    dataset.QueryRetrieveLevel = level
    for keyword in returned:
        setattr(dataset, keyword, None)
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


def retrieve_identifier(target: RetrieveTarget) -> Dataset:
    """The identifier of a C-MOVE or C-GET, with the unique keys of its level (PS3.4 C.4.2.1.4)."""
    dataset = Dataset()
    dataset.QueryRetrieveLevel = "STUDY"
    dataset.StudyInstanceUID = target.study_instance_uid
    if target.series_instance_uid is not None:
        dataset.QueryRetrieveLevel = "SERIES"
        dataset.SeriesInstanceUID = target.series_instance_uid
    if target.sop_instance_uid is not None:
        dataset.QueryRetrieveLevel = "IMAGE"
        dataset.SOPInstanceUID = target.sop_instance_uid
    return dataset


def study_match(dataset: Dataset) -> PacsStudy | None:
    """Read a study from an answer; None without a UID by which it could be fetched."""
    uid = _uid(dataset, "StudyInstanceUID")
    if uid is None:
        return None
    return PacsStudy(
        study_instance_uid=uid,
        study_date=read_day(text_of(dataset, "StudyDate") or ""),
        accession_number=text_of(dataset, "AccessionNumber"),
        modalities=_texts(dataset, "ModalitiesInStudy"),
        instances=_number(text_of(dataset, "NumberOfStudyRelatedInstances")),
        patient_id=text_of(dataset, "PatientID"),
        issuer_of_patient_id=text_of(dataset, "IssuerOfPatientID"),
        patient_birth_date=read_day(text_of(dataset, "PatientBirthDate") or "", EARLIEST_BIRTH),
    )


def series_match(dataset: Dataset) -> PacsSeries | None:
    """Read a series from an answer; None without a UID."""
    uid = _uid(dataset, "SeriesInstanceUID")
    if uid is None:
        return None
    return PacsSeries(
        series_instance_uid=uid,
        modality=text_of(dataset, "Modality"),
        body_part_examined=text_of(dataset, "BodyPartExamined"),
    )


def image_match(dataset: Dataset) -> str | None:
    """Read the SOP Instance UID of an answer; None if it has none."""
    return _uid(dataset, "SOPInstanceUID")


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except Exception:
        # Values are read when they are looked at, and a PACS may send anything.
        return None


def _texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    value = _value(dataset, keyword)
    values = value if isinstance(value, MultiValue | list) else [value]
    texts = (str(each).strip(" \0") for each in values if each is not None)
    return tuple(text for text in texts if text)


def text_of(dataset: Dataset, keyword: str) -> str | None:
    """The first value of an attribute as text; None where there is none, or none to be read."""
    return next(iter(_texts(dataset, keyword)), None)


def _uid(dataset: Dataset, keyword: str) -> str | None:
    text = text_of(dataset, keyword)
    return text if text is not None and is_uid(text) else None


def _number(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) < 10
    return int(text) if is_number and text is not None else None
