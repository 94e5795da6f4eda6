"""Attributes of patient, order and film in a DICOM header: read with care, never trusted.

An attribute that is absent, empty or broken is None: it is no reason to refuse a film.
"""

import re
from collections.abc import Sequence
from datetime import datetime, time, timezone
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import DigitalXRayImageStorageForProcessing

from ingest.dicom.dates import (
    EARLIEST_BIRTH,
    read_age,
    read_datetime,
    read_day,
    read_offset,
    read_time,
)
from ingest.dicom.numbers import first_number

#: No text of a header is longer than this in the database; PostgreSQL indexes 2,700 bytes at most.
MOST_CHARACTERS = 512
#: No attribute has more values that mean anything here (PS3.3 C.7.6.1.1.2).
MOST_VALUES = 16
#: PS3.5 9.1, but for leading zeros, which some devices write.
UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
#: PS3.5 6.2: values are filled up with spaces, or with NUL.
PADDING = " \0\t\r\n"
#: The words for "now" in the three attributes that carry an order's priority.
URGENT = {"STAT", "HIGH"}
PRIORITIES = ("RequestedProcedurePriority", "ReportingPriority", "StudyPriorityID")
#: One value each, by the standard; where devices write several, each is held against the scope.
SCOPE_TEXTS = {
    "modality": "Modality",
    "view_position": "ViewPosition",
    "body_part_examined": "BodyPartExamined",
    "burned_in_annotation": "BurnedInAnnotation",
}
TEXTS = {
    "patient_id": "PatientID",
    "issuer_of_patient_id": "IssuerOfPatientID",
    "patient_name": "PatientName",
    "patient_sex": "PatientSex",
    "accession_number": "AccessionNumber",
    "referring_physician_name": "ReferringPhysicianName",
    "institution_name": "InstitutionName",
    "study_description": "StudyDescription",
    "additional_patient_history": "AdditionalPatientHistory",
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturerModelName",
    "station_name": "StationName",
}
#: Texts of the order, which stand in the data set or in its Request Attributes Sequence.
ORDER_TEXTS = {
    "requested_procedure_description": "RequestedProcedureDescription",
    "reason_for_the_requested_procedure": "ReasonForTheRequestedProcedure",
}
NUMBERS = {"exposure_index": "ExposureIndex", "deviation_index": "DeviationIndex"}
UIDS = {
    "sop_class_uid": "SOPClassUID",
    "sop_instance_uid": "SOPInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "study_instance_uid": "StudyInstanceUID",
}
#: Every attribute that is looked at in here; nothing else need be read from a file.
TAGS = [
    "SpecificCharacterSet", *SCOPE_TEXTS.values(), *TEXTS.values(), *ORDER_TEXTS.values(),
    *UIDS.values(),
    *NUMBERS.values(), *PRIORITIES,
    "ImageType", "Exposure", "ExposureInuAs",
    "Laterality", "ImageLaterality", "PresentationIntentType", "PatientAge", "PatientBirthDate",
    "StudyDate", "StudyTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime",
    "TimezoneOffsetFromUTC", "ViewCodeSequence", "AnatomicRegionSequence",
    "RequestAttributesSequence",
]  # fmt: skip


def attributes(dataset: Dataset) -> dict[str, Any]:
    """Read the fields of `readfirst.domain.Header` that say what and whose a DICOM film is."""
    fields: dict[str, Any] = {name: text(dataset, keyword) for name, keyword in TEXTS.items()}
    fields |= {name: _of_order(dataset, keyword) for name, keyword in ORDER_TEXTS.items()}
    fields |= {name: all_text(dataset, keyword) for name, keyword in SCOPE_TEXTS.items()}
    fields |= {name: uid(dataset, keyword) for name, keyword in UIDS.items()}
    fields |= {name: first_number(dataset, keyword) for name, keyword in NUMBERS.items()}
    # PS3.3 C.8.11.5: DX images may name view and region by codes alone.
    fields["view_position"] = fields["view_position"] or _meaning(dataset, "ViewCodeSequence")
    fields["body_part_examined"] = fields["body_part_examined"] or _meaning(
        dataset, "AnatomicRegionSequence"
    )
    age = read_age(_written(dataset, "PatientAge"))
    return fields | {
        "invalid_study_instance_uid": _invalid_uid(dataset, "StudyInstanceUID"),
        "image_type": _texts(dataset, "ImageType"),
        "laterality": all_text(dataset, "ImageLaterality") or all_text(dataset, "Laterality"),
        "presentation_intent_type": _presentation_intent(dataset),
        "patient_age": age[0] if age else None,
        "patient_age_without_unit": age is not None and age[1],
        "patient_birth_date": read_day(_written(dataset, "PatientBirthDate"), EARLIEST_BIRTH),
        "study_datetime": _study_datetime(dataset),
        "acquisition_datetime": _acquisition_datetime(dataset),
        "exposure": _exposure(dataset),
        "stat": _is_stat(dataset),
    }


def text(dataset: Dataset, keyword: str) -> str | None:
    """The first value as text that a database, a page and a terminal take, or None."""
    return next(iter(_texts(dataset, keyword)), None)


def all_text(dataset: Dataset, keyword: str) -> str | None:
    """All values as one text, each once, parted by backslashes as in the file; or None."""
    return "\\".join(dict.fromkeys(_texts(dataset, keyword)))[:MOST_CHARACTERS] or None


def uid(dataset: Dataset, keyword: str) -> str | None:
    """A UID that keeps to PS3.5 9.1, else None: it names rows and must be no trick."""
    value = _written(dataset, keyword)
    return value if is_uid(value) else None


def is_uid(text: str) -> bool:
    """Tell whether a text has the form of a UID, of at most 64 characters (PS3.5 9.1)."""
    return len(text) <= 64 and UID_FORM.fullmatch(text) is not None


def _invalid_uid(dataset: Dataset, keyword: str) -> str | None:
    """The text that stands where a UID should, and is none; None for a UID, and for nothing."""
    return None if uid(dataset, keyword) else all_text(dataset, keyword)


def _exposure(dataset: Dataset) -> float | None:
    """Exposure (0018,1152) in mAs, or Exposure in µAs (0018,1153), which is finer."""
    fine = first_number(dataset, "ExposureInuAs")
    return first_number(dataset, "Exposure") if fine is None else fine / 1000


def _texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values, with empty ones left out."""
    return tuple(filter(None, map(_clean, _values(dataset, keyword))))


def _written(dataset: Dataset, keyword: str) -> str:
    """The value of an attribute that has one and a strict form; of several all, which has none.

    Only padding is removed: a control character within a value makes no form of two halves.
    """
    values = (value.strip(PADDING) for value in _values(dataset, keyword))
    return "\\".join(filter(None, values))


def _values(dataset: Dataset, keyword: str) -> list[str]:
    try:
        value = dataset.get(keyword)
        values = value if isinstance(value, MultiValue) else [value]
        # Names are decoded here: PS3.5 6.1.2.3, by Specific Character Set.
        return [str(each) for each in values[:MOST_VALUES] if each is not None]
    except Exception:
        # pydicom raises many kinds for values that break their representation or character set.
        return []


def _clean(raw: str) -> str:
    """Remove what is no text: escapes act on terminals, and no database takes half a surrogate.

    Spaces of every kind become plain ones, as the ideographic space in Japanese names.
    """
    plain = (" " if char.isspace() else char for char in raw[: 4 * MOST_CHARACTERS])
    return "".join(char for char in plain if char.isprintable()).strip()[:MOST_CHARACTERS]


def sequence_items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence, no more than mean anything; none where it is absent or broken."""
    try:
        return list(dataset.get(keyword) or [])[:MOST_VALUES]
    except Exception:
        # As in `_texts`: a broken sequence is left out.
        return []


def _meaning(dataset: Dataset, keyword: str) -> str | None:
    """The Code Meaning of the first item of a code sequence (PS3.3 8.3)."""
    return next((text(item, "CodeMeaning") for item in sequence_items(dataset, keyword)), None)


def _presentation_intent(dataset: Dataset) -> str | None:
    """Presentation Intent Type (0008,0068), or what the storage class says (PS3.4 B.5)."""
    intent = text(dataset, "PresentationIntentType")
    if intent is None and uid(dataset, "SOPClassUID") == DigitalXRayImageStorageForProcessing:
        return "FOR PROCESSING"
    return intent


def _of_order(dataset: Dataset, keyword: str) -> str | None:
    """The text of an attribute of the order (PS3.3 C.7.3.1, 10-9): the first that is there."""
    ordered = [dataset, *sequence_items(dataset, "RequestAttributesSequence")]
    return next(filter(None, (text(item, keyword) for item in ordered)), None)


def _is_stat(dataset: Dataset) -> bool:
    ordered = [dataset, *sequence_items(dataset, "RequestAttributesSequence")]
    words = (text(item, priority) or "" for item in ordered for priority in PRIORITIES)
    return any(word.upper() in URGENT for word in words)


def _study_datetime(dataset: Dataset) -> datetime | None:
    return _moment(dataset, "StudyDate", "StudyTime")


def _acquisition_datetime(dataset: Dataset) -> datetime | None:
    """Acquisition DateTime (0008,002A), else Acquisition Date and Time."""
    whole = read_datetime(_written(dataset, "AcquisitionDateTime"))
    if whole is None:
        return _moment(dataset, "AcquisitionDate", "AcquisitionTime")
    at, offset = whole
    return at.replace(tzinfo=read_offset(offset) if offset else _zone(dataset))


def _moment(dataset: Dataset, date_keyword: str, time_keyword: str) -> datetime | None:
    """A day with its time, in the zone that the data set names; naive if it names none.

    A day without a time, or with one that is none, is its beginning.
    """
    day = read_day(_written(dataset, date_keyword))
    if day is None:
        return None
    at = read_time(_written(dataset, time_keyword)) or time()
    return datetime.combine(day, at, _zone(dataset))


def _zone(dataset: Dataset) -> timezone | None:
    """Timezone Offset From UTC (0008,0201), of every time in the data set that has no own."""
    return read_offset(_written(dataset, "TimezoneOffsetFromUTC"))
