"""DICOM files, opened without trusting them: nothing is inflated without a bound, and nothing that
stands behind the pixels is read.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
)

from ingest.dicom.structure import KNOWN_VRS, PIXEL_DATA, Broken, mended, representation
from ingest.dicom.syntaxes import is_supported
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: No radiograph has more decoded bytes: a 43 cm detector at 0.05 mm has 74 million pixels of two.
MOST_BYTES = 240_000_000
#: What a deflated data set may inflate to. It is held in memory beside the pixels, so it is less.
MOST_INFLATED = 128 * 1024**2
#: Bytes that are inflated at a time.
INFLATE_STEP = 1024**2
#: What stands before an inflated data set, so that it is read as any other (PS3.10 7.1).
PLAIN_META = b"\0" * 128 + b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"


@dataclass(frozen=True, slots=True)
class DicomFile:
    """An open file at its start, not deflated any more.

    transfer_syntax_uid: what the file meta says; None where there is no file meta. data_start:
    where the data set begins behind the file meta.
    """

    file: BinaryIO
    transfer_syntax_uid: UID | None
    data_start: int

    @property
    def order(self) -> Literal["big", "little"]:
        """The byte order of the data set."""
        return "big" if self.transfer_syntax_uid == ExplicitVRBigEndian else "little"


@contextmanager
def open_dicom(path: Path) -> Iterator[DicomFile]:
    """Open a file as `dicom_file` does, and close it. Raises Refused."""
    with path.open("rb") as file:
        yield dicom_file(file)


def dicom_file(file: BinaryIO) -> DicomFile:
    """Begin to read a file whose syntax is supported, with or without a preamble.

    pydicom would inflate a deflated data set whatever its size: here it is inflated in steps, and
    given up at `MOST_INFLATED`. Raises Refused.
    """
    syntax, start, end = _file_meta(file)
    if syntax is not None and not is_supported(syntax):
        raise Refused(RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED, syntax.name)
    if syntax == DeflatedExplicitVRLittleEndian:
        file.seek(end)
        return DicomFile(inflated(file), syntax, len(PLAIN_META))
    file.seek(0)
    return DicomFile(file, syntax, start)


def inflated(file: BinaryIO, most: int = MOST_INFLATED) -> BinaryIO:
    """Inflate a deflated data set (PS3.5 A.5) from where the file stands, behind a plain meta.

    Raises Refused: too large beyond `most` bytes, truncated, or unreadable.
    """
    inflate, plain, left = zlib.decompressobj(-zlib.MAX_WBITS), BytesIO(), b""
    plain.write(PLAIN_META)
    while not inflate.eof:
        deflated = left or file.read(INFLATE_STEP)
        try:
            plain.write(some := inflate.decompress(deflated, INFLATE_STEP))
        except zlib.error as error:
            raise Refused(RefusalCode.DICOM_UNREADABLE, "broken deflate stream") from error
        left = inflate.unconsumed_tail
        if not some and not deflated:
            raise Refused(RefusalCode.TRUNCATED)
        if plain.tell() > most:
            # Not only when the traceback is gone: the next file wants this memory.
            plain.close()
            raise Refused(RefusalCode.TOO_LARGE, f"inflates to more than {most} bytes")
    plain.seek(0)
    return plain


def read_elements(
    dicom: DicomFile, keywords: Sequence[str | int] | None, defer_bytes: int | None = None
) -> FileDataset:
    """Read the named elements before the pixels; the file then stands at Pixel Data, or at its end.

    keywords: or tags; None for all. A data set with a broken structure is mended. Raises Refused:
    truncated, or unreadable.
    """
    try:
        dataset = _elements(dicom.file, keywords, defer_bytes)
    except Refused:
        mended_dataset = _mended_elements(dicom, keywords)
        if mended_dataset is None:
            raise
        return mended_dataset
    if not _stands_at_pixels(dicom):
        at = dicom.file.tell()
        mended_dataset = _mended_elements(dicom, keywords, certain=True)
        if mended_dataset is not None:
            return mended_dataset
        dicom.file.seek(at)
    return dataset


def _elements(
    file: BinaryIO, keywords: Sequence[str | int] | None, defer_bytes: int | None = None
) -> FileDataset:
    try:
        dataset = pydicom.dcmread(
            file,
            force=True,
            stop_before_pixels=True,
            defer_size=defer_bytes,
            specific_tags=None if keywords is None else [Tag(each) for each in keywords],
        )
        _name_representations(dataset)
        return dataset
    except (Refused, MemoryError):
        raise
    except EOFError as error:
        raise Refused(RefusalCode.TRUNCATED) from error
    except Exception as error:
        # pydicom raises more kinds than InvalidDicomError (KeyError, struct.error, RecursionError).
        raise Refused(RefusalCode.DICOM_UNREADABLE, type(error).__name__) from error


def _name_representations(dataset: Dataset) -> None:
    """Give elements of an unknown representation the one that the standard says."""
    for tag, raw in list(dataset.items()):
        if raw.VR is not None and raw.VR.encode() not in KNOWN_VRS and len(raw.VR) == 2:
            vr = representation((tag.group, tag.element)).decode()
            dataset[tag] = raw._replace(VR=vr)  # type: ignore[union-attr]


def _stands_at_pixels(dicom: DicomFile) -> bool:
    at = dicom.file.tell()
    tag = dicom.file.read(4)
    dicom.file.seek(at)
    return tag == b"".join(half.to_bytes(2, dicom.order) for half in PIXEL_DATA)


def _mended_elements(
    dicom: DicomFile, keywords: Sequence[str | int] | None, *, certain: bool = False
) -> FileDataset | None:
    """Read the elements of a data set with a broken structure; None where there is none to mend.

    certain: pydicom found no fault, so that one that is found here is the reason why it stands
    where no pixels are. Raises Refused then.
    """
    dicom.file.seek(0)
    head = dicom.file.read(dicom.data_start + 6)
    implicit = head[-2:] not in KNOWN_VRS
    try:
        header = mended(dicom.file, dicom.data_start, dicom.order, implicit=implicit)
    except Broken as error:
        if certain:
            raise Refused(RefusalCode.DICOM_UNREADABLE, "broken structure") from error
        return None
    except EOFError as error:
        if certain:
            raise Refused(RefusalCode.TRUNCATED) from error
        return None
    if header is None:
        return None
    dataset = _elements(BytesIO(head[: dicom.data_start] + header.elements), keywords)
    dicom.file.seek(header.pixels_at)
    return dataset


def transfer_syntax(dicom: DicomFile, dataset: FileDataset) -> UID:
    """Return the syntax that the file meta says, else the one that pydicom found (PS3.10 7.1)."""
    if dicom.transfer_syntax_uid:
        return dicom.transfer_syntax_uid
    implicit, little = dataset.original_encoding
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def check_size(rows: int, columns: int, samples: int, bits: int = 8) -> None:
    """Refuse by what decoding would take. samples: of one pixel, in all frames."""
    if rows * columns * samples * bits > MOST_BYTES * 8:
        raise Refused(RefusalCode.TOO_LARGE, f"{columns} x {rows} x {samples}, {bits} bits")


def _file_meta(file: BinaryIO) -> tuple[UID | None, int, int]:
    """Read the transfer syntax in the file meta, and where the next element and the data begin."""
    try:
        read_preamble(file, force=True)
        start = file.tell()
        # PS3.10 7.1: the elements of group 0002 come first, always explicit and little endian.
        meta = Dataset(
            read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_behind_meta)
        )
        length = meta.get("FileMetaInformationGroupLength")
        # Deflated bytes may look like one more element: the length knows better.
        following = file.tell()
        end = following if length is None else start + 12 + int(length)
        syntax = meta.get("TransferSyntaxUID")
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
    return (UID(syntax) if syntax else None), following, end


def _behind_meta(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
    return tag.group != 2
