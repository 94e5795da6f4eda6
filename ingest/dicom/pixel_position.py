"""Pixel Data in a file: where its value is, how long it is, and in which form."""

import os
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO, Literal

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, ExplicitVRBigEndian

from ingest.dicom.codestreams import CODESTREAM_START, JPEG_START, is_whole
from ingest.dicom.dicom_file import DicomFile, check_size, transfer_syntax
from ingest.dicom.numbers import positive_number
from ingest.dicom.structure import KNOWN_VRS, LONG_VRS, PIXEL_DATA, UNDEFINED
from ingest.dicom.syntaxes import is_encapsulated
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: PS3.5 7.5: what a fragment begins with, and what stands behind the last one.
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
#: So many zeros where an item must stand are no broken item (bytes).
UNWRITTEN = 64
#: Bytes at the end of a fragment that tell whether it was written to its end.
TAIL = 16


class PixelForm(Enum):
    """The ways in which Pixel Data holds the pixels, whatever the transfer syntax says."""

    NATIVE = auto()
    #: PS3.5 A.4.
    FRAGMENTS = auto()
    #: A compressed frame without the items of a fragment, which no standard knows.
    BARE = auto()


@dataclass(frozen=True, slots=True)
class PixelData:
    """The position of Pixel Data (7FE0,0010) in a file.

    start: of the value. length: in bytes, without the delimiter behind fragments. vr: `OB` or `OW`,
    which matters to big endian (PS3.5 8.1). is_cut: the file ends before the value does.
    """

    start: int
    length: int
    vr: str
    form: PixelForm
    is_cut: bool = False


def locate_pixels(dicom: DicomFile, dataset: FileDataset) -> PixelData:
    """Find and check the pixels of a file whose elements have just been read.

    What stands behind them is never looked at. Raises Refused: without pixels, without a size,
    too large, truncated, or unreadable.
    """
    syntax = transfer_syntax(dicom, dataset)
    order: Literal["big", "little"] = "big" if syntax == ExplicitVRBigEndian else "little"
    _check_tag(dicom.file, dataset, order)
    _check_dimensions(dataset)
    needed = native_bytes(dataset)
    length, vr = _length(dicom.file, order, needed)
    start = dicom.file.tell()
    form = _form(dicom.file, length, needed, is_encapsulated(syntax))
    if form is PixelForm.FRAGMENTS:
        return PixelData(start, _fragments_end(dicom.file, length) - start, "OB", form)
    left = dicom.file.seek(0, os.SEEK_END) - start
    if left < min(needed, length) or (form is PixelForm.BARE and left < length):
        raise Refused(RefusalCode.TRUNCATED)
    fits = length >= needed or form is PixelForm.BARE or _fits_other_samples(dataset, length)
    if not fits or length == UNDEFINED:
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "fewer pixels than rows and columns say")
    return PixelData(start, min(length, left), vr, form, is_cut=left < length)


def _length(file: BinaryIO, order: Literal["big", "little"], needed: int) -> tuple[int, str]:
    """Read the length of Pixel Data, in 4 bytes or behind its representation, and that one."""
    head = file.read(4)
    plain = int.from_bytes(head, order)
    # No length begins with these letters, since lengths are even: some files have implicit
    # elements where their syntax says explicit, and pydicom reads them.
    if head[:2] in KNOWN_VRS and head[:2] in LONG_VRS:
        return int.from_bytes(file.read(4), order), "OB" if head[:2] == b"OB" else "OW"
    behind = file.read(4)
    longer = int.from_bytes(behind, order)
    odd = head[:2] == b"\0\0" or (head[:2].isascii() and head[:2].decode("ascii").isprintable())
    # A representation that nobody knows: behind it are two zeros, and then a length that fits.
    fits = longer in (needed, needed + 1, UNDEFINED) or plain < needed <= longer
    if odd and head[2:] == b"\0\0" and fits:
        return longer, "OW"
    file.seek(-len(behind), os.SEEK_CUR)
    return plain, "OW"


def _form(file: BinaryIO, length: int, needed: int, encapsulated: bool) -> PixelForm:
    """Tell by its first bytes how Pixel Data holds the pixels. The file stands where it did."""
    at = file.tell()
    begin = file.read(4)
    file.seek(at)
    if begin == ITEM and (encapsulated or length == UNDEFINED or length < needed):
        return PixelForm.FRAGMENTS
    if length != UNDEFINED and begin.startswith((JPEG_START, CODESTREAM_START)) and length < needed:
        return PixelForm.BARE
    if not encapsulated or (needed <= length < UNDEFINED and length <= needed + 1):
        return PixelForm.NATIVE
    return PixelForm.FRAGMENTS


def _fits_other_samples(dataset: Dataset, length: int) -> bool:
    """Return whether a length has whole samples for each pixel, though not those that are said."""
    pixels = positive_number(dataset, "Rows", 0) * positive_number(dataset, "Columns", 0)
    pixels *= positive_number(dataset, "NumberOfFrames", 1)
    return length >= pixels > 1 and length % pixels <= 1


def _tag_of(tag: bytes, order: Literal["big", "little"]) -> tuple[int, ...]:
    return tuple(int.from_bytes(half, order) for half in (tag[:2], tag[2:]))


def _check_tag(file: BinaryIO, dataset: FileDataset, order: Literal["big", "little"]) -> None:
    tag = file.read(4)
    if len(tag) < 4:
        raise Refused(RefusalCode.NO_PIXEL_DATA if _is_no_image(dataset) else RefusalCode.TRUNCATED)
    if _tag_of(tag, order) != PIXEL_DATA:
        # PS3.3 C.7.6.24: Float and Double Float Pixel Data belong to no radiograph.
        raise Refused(RefusalCode.NO_PIXEL_DATA)


def _check_dimensions(dataset: FileDataset) -> None:
    rows, columns = positive_number(dataset, "Rows", 0), positive_number(dataset, "Columns", 0)
    if not rows or not columns:
        raise Refused(RefusalCode.DICOM_UNREADABLE, "no Rows or Columns")
    samples = positive_number(dataset, "SamplesPerPixel", 1)
    samples *= positive_number(dataset, "NumberOfFrames", 1)
    check_size(rows, columns, samples, positive_number(dataset, "BitsAllocated", 8))


def _is_no_image(dataset: FileDataset) -> bool:
    """Return whether the object is of a class without pixels; else it ends too early.

    The file meta names the class too (PS3.10 7.1). It is asked where nobody knows the one that the
    data set names, as of a file that breaks off within this name.
    """
    sop_class_uid = UID(str(dataset.get("SOPClassUID") or "").strip("\0 "))
    in_meta = dataset.file_meta.get("MediaStorageSOPClassUID")
    if in_meta and sop_class_uid and sop_class_uid.name == sop_class_uid:
        sop_class_uid = in_meta
    return bool(sop_class_uid) and "Image Storage" not in sop_class_uid.name


def native_bytes(dataset: Dataset) -> int:
    """Return the length of the pixels of all frames, not encapsulated (PS3.5 8.1.1, 8.2)."""
    pixels = positive_number(dataset, "Rows", 0) * positive_number(dataset, "Columns", 0)
    samples = positive_number(dataset, "SamplesPerPixel", 1)
    if dataset.get("PhotometricInterpretation") in ("YBR_FULL_422", "YBR_PARTIAL_422"):
        # PS3.3 C.7.6.3.1.2: two pixels share their chrominance.
        samples = 2
    bits = pixels * samples * positive_number(dataset, "BitsAllocated", 8)
    return -(-bits * positive_number(dataset, "NumberOfFrames", 1) // 8)


def _fragments_end(file: BinaryIO, declared: int) -> int:
    """Walk the fragments to behind the last, where the Sequence Delimitation Item is (PS3.5 A.4).

    Zeros in its place will do where the frame is whole, and nothing behind the length that is
    declared, where it is.
    """
    begin = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(begin)
    frame, last = b"", 0
    if not declared:
        raise Refused(RefusalCode.PIXELS_UNREADABLE, "no fragments")
    while file.tell() != begin + declared and len(head := file.read(8)) == 8:
        at, length = file.tell() - 8, int.from_bytes(head[4:], "little")
        if head[:4] == SEQUENCE_END or (head == bytes(8) and is_whole(frame, _tail(file, last))):
            return at
        if head[:4] != ITEM:
            if head == bytes(8) or _breaks_off(file, head):
                raise Refused(RefusalCode.TRUNCATED)
            raise Refused(RefusalCode.PIXELS_UNREADABLE, "no fragment where one must begin")
        if at > begin and not frame:
            frame = file.read(4)
            # No encoding begins so: the fragment has its place, and is not written.
            if frame == bytes(4):
                raise Refused(RefusalCode.TRUNCATED)
        last = length
        if file.seek(at + 8 + length) > size:
            break
    if file.tell() == begin + declared <= size:
        return file.tell()
    raise Refused(RefusalCode.TRUNCATED)


def _breaks_off(file: BinaryIO, head: bytes) -> bool:
    """Return whether zeros stand where an item goes on: it has its place, and is not written."""
    written = head[:4].rstrip(b"\0")
    begins = ITEM.startswith(written) or SEQUENCE_END.startswith(written)
    return begins and not any(head[4:]) and not any(file.read(UNWRITTEN))


def _tail(file: BinaryIO, length: int) -> bytes:
    """Return the last bytes of a fragment of this length, behind which the file read a head."""
    file.seek(-8 - min(length, TAIL), os.SEEK_CUR)
    return file.read(min(length, TAIL))
