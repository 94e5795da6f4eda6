"""DICOM files, opened without trusting them: nothing is inflated without a bound, and nothing that
stands behind the pixels is read.
"""

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from ingest.syntaxes import is_encapsulated, is_supported
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: No radiograph has more decoded bytes: a 43 cm detector at 0.05 mm has 74 million pixels of two.
MOST_BYTES = 240_000_000
#: What a deflated data set may inflate to. It is held in memory beside the pixels, so it is less.
MOST_INFLATED = 128 * 1024**2
#: Bytes that are inflated at a time.
INFLATE_STEP = 1024**2
#: PS3.5 7.5: what a fragment begins with, and what stands behind the last one.
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
#: The length of a value that ends with a delimiter (PS3.5 7.1).
UNDEFINED = 0xFFFFFFFF
#: What stands before an inflated data set, so that it is read as any other (PS3.10 7.1).
PLAIN_META = b"\0" * 128 + b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"


@dataclass(frozen=True, slots=True)
class DicomFile:
    """An open file at its start, not deflated any more.

    transfer_syntax_uid: what the file meta says; None where there is no file meta.
    """

    file: BinaryIO
    transfer_syntax_uid: UID | None


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where Pixel Data (7FE0,0010) are. start: of the value. length: in bytes, delimiter and all.

    vr: `OB` or `OW`, which matters to big endian (PS3.5 8.1).
    """

    start: int
    length: int
    vr: str


@contextmanager
def open_dicom(path: Path) -> Iterator[DicomFile]:
    """Open a file whose syntax is supported, with or without a preamble.

    pydicom would inflate a deflated data set whatever its size: here it is inflated in steps, and
    given up at `MOST_INFLATED`. Raises Refused.
    """
    with path.open("rb") as file:
        syntax, end = _file_meta(file)
        if syntax is not None and not is_supported(syntax):
            raise Refused(RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED, syntax.name)
        file.seek(end if syntax == DeflatedExplicitVRLittleEndian else 0)
        plain = inflated(file) if syntax == DeflatedExplicitVRLittleEndian else file
        yield DicomFile(plain, syntax)


def inflated(file: BinaryIO, most: int = MOST_INFLATED) -> BinaryIO:
    """A deflated data set (PS3.5 A.5), from where the file stands, inflated behind a plain meta.

    Raises Refused: too large beyond `most` bytes, truncated, or unreadable.
    """
    inflate, held, left = zlib.decompressobj(-zlib.MAX_WBITS), BytesIO(), b""
    held.write(PLAIN_META)
    while not inflate.eof:
        deflated = left or file.read(INFLATE_STEP)
        try:
            held.write(some := inflate.decompress(deflated, INFLATE_STEP))
        except zlib.error as error:
            raise Refused(RefusalCode.DICOM_UNREADABLE, "broken deflate stream") from error
        left = inflate.unconsumed_tail
        if not some and not deflated:
            raise Refused(RefusalCode.TRUNCATED)
        if held.tell() > most:
            # Not only when the traceback is gone: the next file wants this memory.
            held.close()
            raise Refused(RefusalCode.TOO_LARGE, f"inflates to more than {most} bytes")
    held.seek(0)
    return held


def read_elements(
    dicom: DicomFile, keywords: Sequence[str] | None, defer_bytes: int | None = None
) -> FileDataset:
    """The named elements before the pixels; the file then stands at Pixel Data, or at its end.

    keywords: None for all. Raises Refused: truncated, or unreadable.
    """
    try:
        return pydicom.dcmread(
            dicom.file,
            force=True,
            stop_before_pixels=True,
            defer_size=defer_bytes,
            specific_tags=None if keywords is None else list(keywords),
        )
    except (Refused, MemoryError):
        raise
    except EOFError as error:
        raise Refused(RefusalCode.TRUNCATED) from error
    except Exception as error:
        # pydicom raises more kinds than InvalidDicomError (KeyError, struct.error, RecursionError).
        raise Refused(RefusalCode.DICOM_UNREADABLE, type(error).__name__) from error


def transfer_syntax(dicom: DicomFile, dataset: FileDataset) -> UID:
    """As the file meta says, else as pydicom found the elements to be encoded (PS3.10 7.1)."""
    if dicom.transfer_syntax_uid:
        return dicom.transfer_syntax_uid
    implicit, little = dataset.original_encoding
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def locate_pixels(dicom: DicomFile, dataset: FileDataset) -> PixelData:
    """Where the pixels are, of a file whose elements have just been read, once checked.

    What stands behind them is never looked at. Raises Refused: without pixels, without a size,
    too large, truncated, or unreadable.
    """
    syntax = transfer_syntax(dicom, dataset)
    order: Literal["big", "little"] = "big" if syntax == ExplicitVRBigEndian else "little"
    _check_tag(dicom.file, dataset, order)
    _check_dimensions(dataset)
    length, vr = dicom.file.read(4), "OW"
    # No length begins with these letters, since lengths are even: some files have implicit
    # elements where their syntax says explicit, and pydicom reads them.
    if length[:2] in (b"OB", b"OW", b"UN"):
        length, vr = dicom.file.read(4), "OB" if length[:2] == b"OB" else "OW"
    start = dicom.file.tell()
    if is_encapsulated(syntax):
        return PixelData(start, _fragments_end(dicom.file) - start, "OB")
    needed = native_bytes(dataset)
    _check_native(dicom.file, start, int.from_bytes(length, order), needed)
    return PixelData(start, needed, vr)


def check_size(rows: int, columns: int, samples: int, bits: int = 8) -> None:
    """Refuse by what decoding would take. samples: of one pixel, in all frames."""
    if rows * columns * samples * bits > MOST_BYTES * 8:
        raise Refused(RefusalCode.TOO_LARGE, f"{columns} x {rows} x {samples}, {bits} bits")


def _check_tag(file: BinaryIO, dataset: FileDataset, order: Literal["big", "little"]) -> None:
    tag = file.read(4)
    if len(tag) < 4:
        raise Refused(RefusalCode.NO_PIXEL_DATA if _is_no_image(dataset) else RefusalCode.TRUNCATED)
    halves = (int.from_bytes(half, order) for half in (tag[:2], tag[2:]))
    if tuple(halves) != (0x7FE0, 0x0010):
        # PS3.3 C.7.6.24: Float and Double Float Pixel Data belong to no radiograph.
        raise Refused(RefusalCode.NO_PIXEL_DATA)


def _check_dimensions(dataset: FileDataset) -> None:
    rows, columns = number(dataset, "Rows", 0), number(dataset, "Columns", 0)
    if not rows or not columns:
        raise Refused(RefusalCode.DICOM_UNREADABLE, "no Rows or Columns")
    samples = number(dataset, "SamplesPerPixel", 1) * number(dataset, "NumberOfFrames", 1)
    check_size(rows, columns, samples, number(dataset, "BitsAllocated", 8))


def _is_no_image(dataset: FileDataset) -> bool:
    """Whether the object is of a class without pixels; else one without them ends too early."""
    sop_class_uid = str(dataset.get("SOPClassUID") or "").strip("\0 ")
    return bool(sop_class_uid) and "Image Storage" not in UID(sop_class_uid).name


def _check_native(file: BinaryIO, start: int, length: int, needed: int) -> None:
    if file.seek(0, os.SEEK_END) - start < min(needed, length):
        raise Refused(RefusalCode.TRUNCATED)
    if length < needed or length == UNDEFINED:
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "fewer pixels than rows and columns say")


def native_bytes(dataset: Dataset) -> int:
    """How long the pixels of all frames are where they are not encapsulated (PS3.5 8.1.1, 8.2)."""
    pixels = number(dataset, "Rows", 0) * number(dataset, "Columns", 0)
    samples = number(dataset, "SamplesPerPixel", 1)
    if dataset.get("PhotometricInterpretation") in ("YBR_FULL_422", "YBR_PARTIAL_422"):
        # PS3.3 C.7.6.3.1.2: two pixels share their chrominance.
        samples = 2
    bits = pixels * samples * number(dataset, "BitsAllocated", 8)
    return -(-bits * number(dataset, "NumberOfFrames", 1) // 8)


def number(dataset: Dataset, keyword: str, otherwise: int) -> int:
    """A whole number of a data set, or another where it is absent, zero, broken or below zero."""
    try:
        value: Any = dataset.get(keyword)
        found = int(value[0] if isinstance(value, MultiValue) else value)
    except Exception:
        # pydicom converts values when they are asked for, and raises what it likes.
        return otherwise
    return found if found > 0 else otherwise


def _file_meta(file: BinaryIO) -> tuple[UID | None, int]:
    """The transfer syntax that the file meta says, and where the file meta ends."""
    try:
        read_preamble(file, force=True)
        start = file.tell()
        # PS3.10 7.1: the elements of group 0002 come first, always explicit and little endian.
        meta = Dataset(
            read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_behind_meta)
        )
        length = meta.get("FileMetaInformationGroupLength")
        # Deflated bytes may look like one more element: the length knows better.
        end = file.tell() if length is None else start + 12 + int(length)
        said = meta.get("TransferSyntaxUID")
        sop_class_uid = meta.get("MediaStorageSOPClassUID")
    except EOFError as error:
        raise Refused(RefusalCode.TRUNCATED) from error
    except MemoryError:
        raise
    except Exception as error:
        # As in `read_elements`.
        raise Refused(RefusalCode.DICOM_UNREADABLE, type(error).__name__) from error
    if sop_class_uid == MediaStorageDirectoryStorage:
        # PS3.3 F.3: a DICOMDIR names the files beside it, and holds no image.
        raise Refused(RefusalCode.DICOM_INDEX)
    return (UID(said) if said else None), end


def _behind_meta(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
    return tag.group != 2


def _fragments_end(file: BinaryIO) -> int:
    """Walk the fragments to behind the Sequence Delimitation Item after the last (PS3.5 A.4)."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(start)
    while len(head := file.read(8)) == 8:
        if head[:4] == SEQUENCE_END:
            return file.tell()
        if head[:4] != ITEM:
            raise Refused(RefusalCode.PIXELS_UNREADABLE, "no fragment where one must begin")
        if file.seek(int.from_bytes(head[4:], "little"), os.SEEK_CUR) > size:
            break
    raise Refused(RefusalCode.TRUNCATED)
