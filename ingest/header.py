"""What a file says of itself, read without its pixels and without trusting it."""

import os
import re
import struct
import warnings
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ingest.sniff import kind_of
from ingest.syntaxes import is_encapsulated, is_supported
from readfirst.domain import FileKind, Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: No radiograph has more decoded bytes: a 43 cm detector at 0.05 mm has 74 million pixels of two.
MOST_BYTES = 240_000_000
#: No header of a radiograph needs more bytes in one value before its pixels (icons, overlays).
DEFER_BYTES = 64 * 1024
#: No text of a header is longer than this in the database.
MOST_CHARACTERS = 1024
#: PS3.5 7.5: what a fragment begins with, and what stands behind the last one.
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
#: ISO 10918-1 B.1.1.3: JPEG's start of scan and end of image.
SOS, EOI = 0xDA, b"\xff\xd9"
PNG_END = b"IEND\xaeB`\x82"
#: PS3.5 9.1, but for leading zeros, which some devices write.
UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
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
    with warnings.catch_warnings():
        # Odd values are no reason to speak: what matters is read into the header or is not.
        warnings.simplefilter("ignore")
        return _dicom_header(path) if kind is FileKind.DICOM else _picture_header(path, kind)


def _picture_header(path: Path, kind: FileKind) -> Header:
    try:
        with Image.open(path, formats=[kind.value]) as image:
            columns, rows = image.size
            samples = len(image.getbands())
    except Image.DecompressionBombError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except MemoryError:
        raise
    except Exception as error:
        # Pillow raises many kinds for broken files (OSError, SyntaxError, ValueError).
        _check_picture_is_whole(path, kind)
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error
    _check_size(rows, columns, samples)
    _check_picture_is_whole(path, kind)
    return Header(kind=kind, rows=rows, columns=columns)


def _check_picture_is_whole(path: Path, kind: FileKind) -> None:
    """Whether JPEG's EOI or PNG's IEND is there; what a device wrote behind it is allowed."""
    content = path.read_bytes()
    # A thumbnail in the EXIF segment has an end of its own: only the one after the scan counts.
    end = PNG_END if kind is FileKind.PNG else EOI
    start = 0 if kind is FileKind.PNG else _scan_start(content)
    if content.find(end, start) < 0:
        raise Refused(RefusalCode.TRUNCATED)


def _scan_start(jpeg: bytes) -> int:
    """Where the first scan begins, or the end of a file that has none (ISO 10918-1 B.1.1)."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == SOS:
            return at
        # Fill bytes may stand before a marker; every other segment here tells its length.
        at += 1 if marker == 0xFF else 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return len(jpeg)


def _dicom_header(path: Path) -> Header:
    with path.open("rb") as file:
        dataset = _read_elements(file)
        syntax = _transfer_syntax(dataset)
        _check_there_are_pixels(file, dataset, syntax)
        rows, columns = _number(dataset, "Rows") or 0, _number(dataset, "Columns") or 0
        if rows < 1 or columns < 1:
            raise Refused(RefusalCode.DICOM_UNREADABLE, "no Rows or Columns")
        frames = _count(dataset, "NumberOfFrames", 1)
        samples = _count(dataset, "SamplesPerPixel", 1)
        bits = _count(dataset, "BitsAllocated", 8)
        _check_size(rows, columns, frames * samples, bits)
        _check_is_whole(file, syntax, rows * columns * frames * samples * bits // 8)
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


def refuse_unsupported(file: BinaryIO) -> None:
    """Read the file meta alone, with or without a preamble, and come back to the file's start.

    A deflated data set is refused here, so that nothing inflates it: pydicom would do so while it
    opens the file. Raises Refused.
    """
    read_preamble(file, force=True)
    # PS3.10 7.1: the elements of group 0002 come first, always explicit and little endian.
    meta = read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_behind_meta)
    file.seek(0)
    _check_syntax(Dataset(meta).get("TransferSyntaxUID"))


def _behind_meta(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
    return tag.group != 2


def _read_elements(file: BinaryIO) -> FileDataset:
    """The elements before the pixels; the file then stands at Pixel Data, or at its end."""
    try:
        refuse_unsupported(file)
        return pydicom.dcmread(
            file,
            force=True,
            stop_before_pixels=True,
            defer_size=DEFER_BYTES,
            specific_tags=list(TAGS),
        )
    except (Refused, MemoryError):
        raise
    except EOFError as error:
        raise Refused(RefusalCode.TRUNCATED) from error
    except Exception as error:
        # pydicom raises more kinds than InvalidDicomError (KeyError, struct.error, RecursionError).
        raise Refused(RefusalCode.DICOM_UNREADABLE, type(error).__name__) from error


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
    """Whether the object is of a class without pixels; else one without them ends too early."""
    sop_class_uid = _uid(dataset, "SOPClassUID")
    return sop_class_uid is not None and "Image Storage" not in UID(sop_class_uid).name


def _check_size(rows: int, columns: int, samples: int, bits: int = 8) -> None:
    """Refuse by what decoding would take. samples: of one pixel, in all frames."""
    if rows * columns * samples * bits > MOST_BYTES * 8:
        raise Refused(RefusalCode.TOO_LARGE, f"{columns} x {rows} x {samples}, {bits} bits")


def _check_there_are_pixels(file: BinaryIO, dataset: FileDataset, syntax: UID) -> None:
    """Read the tag at which the header ended: it must be that of Pixel Data (7FE0,0010)."""
    tag = file.read(4)
    if len(tag) < 4:
        raise Refused(RefusalCode.NO_PIXEL_DATA if _is_no_image(dataset) else RefusalCode.TRUNCATED)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if struct.unpack(f"{order}HH", tag) != (0x7FE0, 0x0010):
        # PS3.3 C.7.6.24: Float and Double Float Pixel Data belong to no radiograph.
        raise Refused(RefusalCode.NO_PIXEL_DATA)


def _check_is_whole(file: BinaryIO, syntax: UID, needed: int) -> None:
    """Whether Pixel Data, whose tag has just been read, are as long as they must be (bytes)."""
    start = file.seek(4 if syntax == ImplicitVRLittleEndian else 8, os.SEEK_CUR)
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    whole = _fragments_end(file, size) if is_encapsulated(syntax) else size - start >= needed
    if not whole:
        raise Refused(RefusalCode.TRUNCATED)


def _fragments_end(file: BinaryIO, size: int) -> bool:
    """Walk the fragments to the Sequence Delimitation Item behind the last one (PS3.5 A.4)."""
    while len(head := file.read(8)) == 8:
        if head[:4] == SEQUENCE_END:
            return True
        if head[:4] != ITEM:
            raise Refused(RefusalCode.PIXELS_UNREADABLE, "no fragment where one must begin")
        if file.seek(int.from_bytes(head[4:], "little"), os.SEEK_CUR) > size:
            return False
    return False


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


def _number(dataset: FileDataset, keyword: str) -> int | None:
    try:
        return int(_value(dataset, keyword))
    except (TypeError, ValueError, OverflowError):
        return None


def _count(dataset: FileDataset, keyword: str, otherwise: int) -> int:
    """How many of something there are, at least one."""
    return max(1, _number(dataset, keyword) or otherwise)


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
