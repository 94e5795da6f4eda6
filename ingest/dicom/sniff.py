"""The kind of a file, by its content and never by its name."""

from pathlib import Path

from ingest.dicom.zero_tail import has_more_than
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

JPEG_START = b"\xff\xd8\xff"
PNG_START = b"\x89PNG\r\n\x1a\n"
#: Either byte order; 42, or 43 for the one with long offsets.
TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
#: The whole of an archive without files.
EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(18)
#: The sizes that the header behind a BMP's file header may have.
BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
#: A zip archive with files, or an empty one (APPNOTE 4.3.7, 4.3.16).
ARCHIVE_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
#: What a file begins with by which it is known, but for DICOM and BMP.
STARTS = (JPEG_START, PNG_START, *TIFF_STARTS, b"RIFF", *ARCHIVE_STARTS)
#: PS3.10 7.1: 128 bytes of preamble, then the prefix.
DICOM_PREFIX = (128, b"DICM")
#: A data set without preamble begins with group 0002 or 0008, in either byte order.
DICOM_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def kind_of(path: Path) -> FileKind:
    """Tell DICOM and the kinds of pictures apart. Raises Refused for all else, archives too."""
    with path.open("rb") as file:
        head = file.read(132)
    if not head:
        raise Refused(RefusalCode.EMPTY_FILE)
    kind = FileKind.DICOM if looks_like_dicom(head) else picture_kind(head)
    if kind is None:
        if _is_unwritten(path, head):
            raise Refused(RefusalCode.TRUNCATED)
        archive = head.startswith(ARCHIVE_STARTS)
        raise Refused(RefusalCode.ARCHIVE_NOT_OPENED if archive else RefusalCode.NOT_AN_IMAGE)
    return kind


def _is_unwritten(path: Path, head: bytes) -> bool:
    """Return whether a file got its size, and no more of its content than a first few bytes."""
    if head == EMPTY_ARCHIVE:
        return False
    written = head.strip(b"\0")
    begins = any(start.startswith(written) for start in (*STARTS, DICOM_PREFIX[1]))
    return begins and len(head) > len(written) and not has_more_than(path, len(head))


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip archive."""
    try:
        kind_of(path)
    except Refused as refusal:
        return refusal.code is RefusalCode.ARCHIVE_NOT_OPENED
    return False


def picture_kind(head: bytes) -> FileKind | None:
    """Return the kind of picture that begins with these 18 bytes or more; None if none does."""
    if head.startswith(JPEG_START):
        return FileKind.JPEG
    if head.startswith(PNG_START):
        return FileKind.PNG
    if head.startswith(TIFF_STARTS):
        return FileKind.TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileKind.WEBP
    # Two letters are little: the reserved bytes and the next header's size must fit too.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADERS:
        return FileKind.BMP
    return None


def looks_like_dicom(head: bytes) -> bool:
    """Return whether 132 bytes begin a DICOM file, with its preamble or without."""
    at, prefix = DICOM_PREFIX
    if head[at:] == prefix:
        # PS3.10 7.1: the preamble is free, and may even begin like a picture.
        return True
    # A first element of group 0002 or 0008 with a value representation of two letters, or a
    # length below 64 KiB.
    if head[:2] not in DICOM_FIRST_GROUPS or len(head) < 8:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    implicit = head[6:8] == b"\x00\x00"
    return explicit or implicit
