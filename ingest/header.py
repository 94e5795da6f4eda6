"""What a file says of itself, read without its pixels and without trusting it."""

import struct
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from PIL import Image
from pydicom.dataset import FileDataset
from pydicom.filereader import read_file_meta_info
from pydicom.multival import MultiValue
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ingest.sniff import kind_of
from ingest.syntaxes import is_encapsulated, is_supported
from readfirst.domain import FileKind, Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: No radiograph has more: a 43 cm detector at 0.05 mm has 74 million pixels.
MOST_PIXELS = 120_000_000
#: No header of a radiograph needs more bytes in one value before its pixels (icons, overlays).
DEFER_BYTES = 64 * 1024
#: No text of a header is longer than this in the database.
MOST_CHARACTERS = 1024
SEQUENCE_END = b"\xfe\xff\xdd\xe0"
#: PS3.5 6.2: characters of a UI value.
UID_CHARACTERS = set("0123456789.")
TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality",
    "ViewPosition", "BodyPartExamined", "PatientID", "PatientName", "PatientBirthDate",
    "PatientSex", "PatientAge", "AccessionNumber", "StudyDate", "StudyTime",
    "RequestedProcedurePriority", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "SamplesPerPixel", "SpecificCharacterSet", "TransferSyntaxUID",
]  # fmt: skip


def read_header(path: Path) -> Header:
    """Read the header of a DICOM, JPEG or PNG file, and check that the image is all there.

    Raises Refused: empty, truncated, of another kind, encoded in a way not supported, too large,
    without pixels, or unreadable.
    """
    kind = kind_of(path)
    if kind is FileKind.DICOM:
        return _dicom_header(path)
    return _picture_header(path, kind)


def _picture_header(path: Path, kind: FileKind) -> Header:
    try:
        with warnings.catch_warnings(), Image.open(path, formats=[kind.value]) as image:
            warnings.simplefilter("ignore")
            columns, rows = image.size
    except Exception as error:
        # Pillow raises many kinds for broken files (OSError, SyntaxError, ValueError).
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error
    _check_size(rows, columns, frames=1)
    if not _picture_is_whole(path, kind):
        raise Refused(RefusalCode.TRUNCATED)
    return Header(kind=kind, rows=rows, columns=columns)


def _picture_is_whole(path: Path, kind: FileKind) -> bool:
    """Whether JPEG's EOI or PNG's IEND stands at the end; padding after it is allowed."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        tail = file.read().rstrip(b"\x00")
    return b"\xff\xd9" in tail if kind is FileKind.JPEG else b"IEND\xaeB`\x82" in tail


def _dicom_header(path: Path) -> Header:
    with path.open("rb") as file:
        dataset = _read_elements(path, file)
        rows, columns = _number(dataset, "Rows"), _number(dataset, "Columns")
        frames = _number(dataset, "NumberOfFrames") or 1
        if not rows or not columns:
            raise Refused(
                RefusalCode.NO_PIXEL_DATA if _is_no_image(dataset) else RefusalCode.TRUNCATED
            )
        _check_size(rows, columns, frames)
        syntax = _transfer_syntax(dataset)
        _check_pixel_data(file, dataset, syntax, rows * columns * frames)
    return Header(
        kind=FileKind.DICOM,
        rows=rows,
        columns=columns,
        transfer_syntax_uid=str(syntax),
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
        number_of_frames=frames,
        stat=(_text(dataset, "RequestedProcedurePriority") or "").upper() in ("STAT", "HIGH"),
    )


def _read_elements(path: Path, file: BinaryIO) -> FileDataset:
    """The elements before the pixels; the file then stands at Pixel Data, or at its end.

    The file meta is read first, so that a deflated data set is refused and never inflated.
    """
    try:
        with warnings.catch_warnings():
            # Odd values are no reason to speak: what matters is read into the header or is not.
            warnings.simplefilter("ignore")
            if _has_preamble(path):
                _check_syntax(read_file_meta_info(path).get("TransferSyntaxUID"))
            return pydicom.dcmread(
                file,
                force=True,
                stop_before_pixels=True,
                defer_size=DEFER_BYTES,
                specific_tags=list(TAGS),
            )
    except Refused:
        raise
    except EOFError as error:
        raise Refused(RefusalCode.TRUNCATED) from error
    except Exception as error:
        # pydicom raises more kinds than InvalidDicomError (KeyError, struct.error, RecursionError).
        raise Refused(RefusalCode.DICOM_UNREADABLE, type(error).__name__) from error


def _has_preamble(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _check_syntax(syntax: str | None) -> None:
    if syntax is not None and not is_supported(syntax):
        raise Refused(RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED, UID(syntax).name)


def _transfer_syntax(dataset: FileDataset) -> UID:
    """As the file meta says, else as pydicom found the elements to be encoded (PS3.10 7.1)."""
    said = dataset.file_meta.get("TransferSyntaxUID")
    if said:
        _check_syntax(said)
        return UID(said)
    implicit, little = dataset.original_encoding
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _is_no_image(dataset: FileDataset) -> bool:
    """Whether the object is of a class without pixels; else a file without Rows ends too early."""
    sop_class_uid = _uid(dataset, "SOPClassUID")
    return sop_class_uid is not None and "Image Storage" not in UID(sop_class_uid).name


def _check_size(rows: int, columns: int, frames: int) -> None:
    if rows * columns * frames > MOST_PIXELS:
        raise Refused(RefusalCode.TOO_LARGE, f"{columns} x {rows} pixels, {frames} frames")


def _check_pixel_data(file: BinaryIO, dataset: FileDataset, syntax: UID, pixels: int) -> None:
    """Whether Pixel Data (7FE0,0010) begins here, and is as long as it must be."""
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    tag = file.read(4)
    if len(tag) < 4 or struct.unpack(f"{order}HH", tag) != (0x7FE0, 0x0010):
        raise Refused(RefusalCode.TRUNCATED)
    start = file.tell() + (4 if syntax == ImplicitVRLittleEndian else 8)
    size = file.seek(0, 2)
    if is_encapsulated(syntax):
        # PS3.5 A.4: the fragments end with a Sequence Delimitation Item; padding may follow.
        file.seek(max(start, size - 4096))
        whole = SEQUENCE_END in file.read()
    else:
        bits = _number(dataset, "BitsAllocated") or 8
        samples = _number(dataset, "SamplesPerPixel") or 1
        whole = size - start >= pixels * samples * bits // 8
    if not whole:
        raise Refused(RefusalCode.TRUNCATED)


def _value(dataset: FileDataset, keyword: str) -> Any:
    """The value of an element, or None if it is absent, empty or cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = dataset.get(keyword)
    except Exception:
        # An optional attribute with a broken value is no reason to refuse a film.
        return None
    return value[0] if isinstance(value, MultiValue) and value else value


def _text(dataset: FileDataset, keyword: str) -> str | None:
    value = _value(dataset, keyword)
    text = "" if value is None else str(value).replace("\x00", "").strip()
    return text[:MOST_CHARACTERS] or None


def _uid(dataset: FileDataset, keyword: str) -> str | None:
    """A UID that keeps to PS3.5 9.1, else None: it names rows and must be no trick."""
    text = _text(dataset, keyword) or ""
    return text if 0 < len(text) <= 64 and set(text) <= UID_CHARACTERS else None


def _number(dataset: FileDataset, keyword: str) -> int | None:
    try:
        return int(_value(dataset, keyword))
    except (TypeError, ValueError):
        return None


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
