"""What a file says of itself, read without its pixels and without trusting it."""

import re
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydicom.dataset import FileDataset
from pydicom.multival import MultiValue

from ingest.archive import check_is_whole
from ingest.dicom_file import locate_pixels, number, open_dicom, read_elements, transfer_syntax
from ingest.picture_file import picture_header
from ingest.sniff import is_archive, kind_of
from readfirst.domain import FileKind, Header

#: No header of a radiograph needs more bytes in one value before its pixels (icons, overlays).
DEFER_BYTES = 64 * 1024
#: No text of a header is longer than this in the database.
MOST_CHARACTERS = 1024
#: PS3.5 9.1, but for leading zeros, which some devices write.
UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "ViewPosition", "BodyPartExamined", "PatientID", "PatientName", "PatientBirthDate",
    "PatientSex", "PatientAge", "AccessionNumber", "StudyDate", "StudyTime",
    "RequestedProcedurePriority", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "SamplesPerPixel", "PhotometricInterpretation", "SpecificCharacterSet",
]  # fmt: skip


def read_header(path: Path) -> Header:
    """Read the header of a DICOM file or a picture, and check that the image is all there.

    Raises Refused: empty, truncated, of another kind, encoded in a way not supported, too large,
    without pixels, or unreadable.
    """
    if is_archive(path):
        check_is_whole(path)
    kind = kind_of(path)
    with warnings.catch_warnings():
        # Odd values are no reason to speak: what matters is read into the header or is not.
        warnings.simplefilter("ignore")
        return _dicom_header(path) if kind is FileKind.DICOM else picture_header(path, kind)


def _dicom_header(path: Path) -> Header:
    with open_dicom(path) as dicom:
        dataset = read_elements(dicom, TAGS, DEFER_BYTES)
        locate_pixels(dicom, dataset)
    return Header(
        kind=FileKind.DICOM,
        rows=number(dataset, "Rows", 1),
        columns=number(dataset, "Columns", 1),
        transfer_syntax_uid=str(transfer_syntax(dicom, dataset)),
        sop_class_uid=_uid(dataset, "SOPClassUID"),
        sop_instance_uid=_uid(dataset, "SOPInstanceUID"),
        series_instance_uid=_uid(dataset, "SeriesInstanceUID"),
        study_instance_uid=_uid(dataset, "StudyInstanceUID"),
        modality=_text(dataset, "Modality"),
        view_position=_text(dataset, "ViewPosition"),
        body_part_examined=_text(dataset, "BodyPartExamined"),
        patient_id=_text(dataset, "PatientID"),
        patient_name=_text(dataset, "PatientName"),
        patient_birth_date=_date(dataset, "PatientBirthDate"),
        patient_sex=_text(dataset, "PatientSex"),
        patient_age=_text(dataset, "PatientAge"),
        accession_number=_text(dataset, "AccessionNumber"),
        study_datetime=_study_datetime(dataset),
        number_of_frames=number(dataset, "NumberOfFrames", 1),
        stat=(_text(dataset, "RequestedProcedurePriority") or "").upper() in ("STAT", "HIGH"),
    )


def _value(dataset: FileDataset, keyword: str) -> Any:
    """The value of an element, or None if it is absent, empty or cannot be read."""
    try:
        value = dataset.get(keyword)
    except Exception:
        # An optional attribute with a broken value is no reason to refuse a film.
        return None
    return value[0] if isinstance(value, MultiValue) and value else value


def _text(dataset: FileDataset, keyword: str) -> str | None:
    value = _value(dataset, keyword)
    text = "" if value is None else str(value).replace("\x00", "").strip()
    # Half of a surrogate pair is no text: no database takes it.
    return text[:MOST_CHARACTERS].encode(errors="replace").decode() or None


def _uid(dataset: FileDataset, keyword: str) -> str | None:
    """A UID that keeps to PS3.5 9.1, else None: it names rows and must be no trick."""
    text = _text(dataset, keyword) or ""
    return text if len(text) <= 64 and UID_FORM.fullmatch(text) else None


def _date(dataset: FileDataset, keyword: str) -> date | None:
    text = _text(dataset, keyword) or ""
    try:
        return datetime.strptime(text[:8], "%Y%m%d").date()
    except ValueError:
        return None


def _study_datetime(dataset: FileDataset) -> datetime | None:
    day = _date(dataset, "StudyDate")
    if day is None:
        return None
    # PS3.5 6.2: TM is HHMMSS.FFFFFF, of which the last parts may be left out.
    digits = (_text(dataset, "StudyTime") or "").split(".")[0].ljust(6, "0")[:6]
    try:
        return datetime.strptime(f"{day:%Y%m%d}{digits}", "%Y%m%d%H%M%S")
    except ValueError:
        return datetime.combine(day, datetime.min.time())
