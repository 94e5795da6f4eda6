"""What a DICOM header says of patient, order and film: read with care, and never trusted.

An attribute that is absent, empty or broken is None: it is no reason to refuse a film.
"""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import DigitalXRayImageStorageForProcessing

#: No text of a header is longer than this in the database; PostgreSQL indexes 2,700 bytes at most.
MOST_CHARACTERS = 512
#: No attribute has more values that mean anything here (PS3.3 C.7.6.1.1.2).
MOST_VALUES = 16
#: PS3.5 9.1, but for leading zeros, which some devices write.
UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
#: PS3.5 6.2: AS is nnnD, nnnW, nnnM or nnnY; fewer digits are written too.
AGE_FORM = re.compile(r"[0-9]{1,3}[DWMY]")
#: PS3.3 C.12.1.1.8: hours and minutes from UTC, -1200 to +1400.
OFFSET_FORM = re.compile(r"([+-])(0[0-9]|1[0-4])([0-5][0-9])")
#: PS3.5 6.2: DT, a date and time of which the last parts and the offset may be left out.
DT_FORM = re.compile(r"([0-9]{8})([0-9]{0,6})(?:\.[0-9]{1,6})?([+-][0-9]{4})?")
#: The words for "now" in the three attributes that carry an order's priority.
URGENT = {"STAT", "HIGH"}
PRIORITIES = ("RequestedProcedurePriority", "ReportingPriority", "StudyPriorityID")
TEXTS = {
    "modality": "Modality",
    "view_position": "ViewPosition",
    "body_part_examined": "BodyPartExamined",
    "burned_in_annotation": "BurnedInAnnotation",
    "patient_id": "PatientID",
    "issuer_of_patient_id": "IssuerOfPatientID",
    "patient_name": "PatientName",
    "patient_sex": "PatientSex",
    "accession_number": "AccessionNumber",
    "referring_physician_name": "ReferringPhysicianName",
    "institution_name": "InstitutionName",
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturerModelName",
    "station_name": "StationName",
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
    "SpecificCharacterSet", *TEXTS.values(), *UIDS.values(), *NUMBERS.values(), *PRIORITIES,
    "ImageType", "Exposure", "ExposureInuAs",
    "Laterality", "ImageLaterality", "PresentationIntentType", "PatientAge", "PatientBirthDate",
    "StudyDate", "StudyTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime",
    "TimezoneOffsetFromUTC", "ViewCodeSequence", "AnatomicRegionSequence",
    "RequestAttributesSequence",
]  # fmt: skip


def attributes(dataset: Dataset) -> dict[str, Any]:
    """The fields of `readfirst.domain.Header` that say what and whose a DICOM film is."""
    found: dict[str, Any] = {name: text(dataset, keyword) for name, keyword in TEXTS.items()}
    found |= {name: uid(dataset, keyword) for name, keyword in UIDS.items()}
    found |= {name: decimal(dataset, keyword) for name, keyword in NUMBERS.items()}
    # PS3.3 C.8.11.5: DX images may name view and region by codes alone.
    found["view_position"] = found["view_position"] or _meaning(dataset, "ViewCodeSequence")
    found["body_part_examined"] = found["body_part_examined"] or _meaning(
        dataset, "AnatomicRegionSequence"
    )
    return found | {
        "image_type": _texts(dataset, "ImageType"),
        "laterality": text(dataset, "ImageLaterality") or text(dataset, "Laterality"),
        "presentation_intent_type": _presentation_intent(dataset),
        "patient_age": _age(dataset),
        "patient_birth_date": _date(dataset, "PatientBirthDate"),
        "study_datetime": _study_datetime(dataset),
        "acquisition_datetime": _acquisition_datetime(dataset),
        "exposure": _exposure(dataset),
        "stat": _is_stat(dataset),
    }


def text(dataset: Dataset, keyword: str) -> str | None:
    """The first value as text that a database, a page and a terminal take, or None."""
    return next(iter(_texts(dataset, keyword)), None)


def uid(dataset: Dataset, keyword: str) -> str | None:
    """A UID that keeps to PS3.5 9.1, else None: it names rows and must be no trick."""
    said = text(dataset, keyword) or ""
    return said if len(said) <= 64 and UID_FORM.fullmatch(said) else None


def decimal(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a finite number, or None."""
    try:
        number = float(text(dataset, keyword) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _exposure(dataset: Dataset) -> float | None:
    """Exposure (0018,1152) in mAs, or Exposure in µAs (0018,1153), which is finer."""
    fine = decimal(dataset, "ExposureInuAs")
    return decimal(dataset, "Exposure") if fine is None else fine / 1000


def _texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values, with empty ones left out."""
    try:
        value = dataset.get(keyword)
        values = value if isinstance(value, MultiValue) else [value]
        # Names are decoded here: PS3.5 6.1.2.3, by Specific Character Set.
        said = [str(one) for one in values[:MOST_VALUES] if one is not None]
    except Exception:
        # pydicom raises many kinds for values that break their representation or character set.
        return ()
    return tuple(filter(None, map(_clean, said)))


def _clean(said: str) -> str:
    """Without what is no text: escapes act on terminals, and no database takes half a surrogate.

    Spaces of every kind become plain ones, as the ideographic space in Japanese names.
    """
    plain = (" " if one.isspace() else one for one in said[: 4 * MOST_CHARACTERS])
    return "".join(one for one in plain if one.isprintable()).strip()[:MOST_CHARACTERS]


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    try:
        return list(dataset.get(keyword) or [])[:MOST_VALUES]
    except Exception:
        # As in `_texts`: a broken sequence is left out.
        return []


def _meaning(dataset: Dataset, keyword: str) -> str | None:
    """The Code Meaning of the first item of a code sequence (PS3.3 8.3)."""
    return next((text(item, "CodeMeaning") for item in _items(dataset, keyword)), None)


def _presentation_intent(dataset: Dataset) -> str | None:
    """Presentation Intent Type (0008,0068), or what the storage class says (PS3.4 B.5)."""
    said = text(dataset, "PresentationIntentType")
    if said is None and uid(dataset, "SOPClassUID") == DigitalXRayImageStorageForProcessing:
        return "FOR PROCESSING"
    return said


def _is_stat(dataset: Dataset) -> bool:
    ordered = [dataset, *_items(dataset, "RequestAttributesSequence")]
    said = (text(item, priority) or "" for item in ordered for priority in PRIORITIES)
    return any(one.upper() in URGENT for one in said)


def _age(dataset: Dataset) -> str | None:
    said = (text(dataset, "PatientAge") or "").upper().replace(" ", "")
    return said.rjust(4, "0") if AGE_FORM.fullmatch(said) else None


def _date(dataset: Dataset, keyword: str) -> date | None:
    # 1993.04.22 was the form of ACR-NEMA, which PS3.5 6.2 lets readers accept.
    said = (text(dataset, keyword) or "").replace(".", "")
    try:
        return datetime.strptime(said[:8], "%Y%m%d").date()
    except ValueError:
        return None


def _study_datetime(dataset: Dataset) -> datetime | None:
    day = _date(dataset, "StudyDate")
    return _moment(dataset, day, "StudyTime") if day else None


def _acquisition_datetime(dataset: Dataset) -> datetime | None:
    """Acquisition DateTime (0008,002A), else Acquisition Date and Time."""
    whole = DT_FORM.fullmatch(text(dataset, "AcquisitionDateTime") or "")
    if whole is not None:
        try:
            at = datetime.strptime(whole[1] + whole[2].ljust(6, "0"), "%Y%m%d%H%M%S")
        except ValueError:
            return None
        return at.replace(tzinfo=_offset(whole[3]) if whole[3] else _zone(dataset))
    day = _date(dataset, "AcquisitionDate")
    return _moment(dataset, day, "AcquisitionTime") if day else None


def _moment(dataset: Dataset, day: date, time_keyword: str) -> datetime:
    """A day with its time, in the zone that the data set names; naive if it names none."""
    # PS3.5 6.2: TM is HHMMSS.FFFFFF, of which the last parts may be left out.
    digits = (text(dataset, time_keyword) or "").replace(":", "").split(".")[0].ljust(6, "0")[:6]
    try:
        at = datetime.strptime(f"{day:%Y%m%d}{digits}", "%Y%m%d%H%M%S")
    except ValueError:
        at = datetime(day.year, day.month, day.day)
    return at.replace(tzinfo=_zone(dataset))


def _zone(dataset: Dataset) -> timezone | None:
    """Timezone Offset From UTC (0008,0201), of every time in the data set that has no own."""
    return _offset(text(dataset, "TimezoneOffsetFromUTC") or "")


def _offset(said: str) -> timezone | None:
    parts = OFFSET_FORM.fullmatch(said)
    if parts is None:
        return None
    sign = -1 if parts[1] == "-" else 1
    return timezone(sign * timedelta(hours=int(parts[2]), minutes=int(parts[3])))
