"""Headers of pictures, and the check that all of one is there: JPEG, PNG, TIFF, BMP, WebP."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from ingest.dicom.dicom_file import check_size
from ingest.dicom.zero_tail import LEAST_ZEROS, ends_in_zeros, written_bytes
from readfirst.domain import FileKind, Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: ISO 10918-1 B.1.1.3: JPEG's start of scan and end of image.
SOS, EOI = 0xDA, b"\xff\xd9"
PNG_END = b"IEND\xaeB`\x82"
#: TIFF 6.0: where the strips or tiles of a page are, and how long each is.
TIFF_STRIPS, TIFF_TILES = (273, 279), (324, 325)
#: TIFF 6.0, NewSubfileType: the page is a smaller version of another, or a mask of it.
TIFF_SUBFILE, TIFF_THUMBNAIL_OR_MASK = 254, 0b101
#: A compressed picture that ends in so many zeros has not been written to its end (bytes).
MOST_ZEROS = 4096
#: Pages of a TIFF that are looked at: more than a film and its thumbnails are refused anyway.
MOST_PAGES = 8
#: Bits of a sample by Pillow's mode; all others have 8.
DEEP_MODES = {"I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}


def picture_header(path: Path, kind: FileKind) -> Header:
    """Read size and number of pictures in a file. Raises Refused as `header.read_header`."""
    try:
        with Image.open(path, formats=[kind.value]) as image:
            check_size(*image.size[::-1], len(image.getbands()), DEEP_MODES.get(image.mode, 8))
            refuse_float(image)
            header = Header(
                kind=kind,
                rows=image.height,
                columns=image.width,
                number_of_frames=_pictures(image, kind),
            )
            parts = _tiff_parts(image) if kind is FileKind.TIFF else ()
            rows = _stored_rows(image, kind)
    except Image.DecompressionBombError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except (Refused, MemoryError):
        raise
    except Exception as error:
        # Pillow raises many kinds for broken files (OSError, SyntaxError, ValueError).
        _check_is_whole(path, kind)
        with path.open("rb") as file:
            if _is_unwritten(file, file.seek(0, os.SEEK_END)):
                # What Pillow misses has its place in the file.
                raise Refused(RefusalCode.TRUNCATED) from error
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error
    _check_is_whole(path, kind, parts)
    may_be_cut = _has_unwritten_rows(path, kind, rows, parts)
    return replace(header, may_be_cut=may_be_cut)


def _stored_rows(image: Image.Image, kind: FileKind) -> int | None:
    """Count the rows of a picture whose pixels are stored as they are; None if compressed."""
    plain = kind is FileKind.BMP or image.info.get("compression") == "raw"
    return image.height if plain else None


def _has_unwritten_rows(
    path: Path, kind: FileKind, rows: int | None, parts: tuple[range, ...]
) -> bool:
    """Return whether a picture ends in rows of zeros, which nobody may have written.

    rows: of stored pixels; None if they are compressed. parts: of a TIFF. Raises Refused where a
    compressed picture is not written to its end; JPEG and PNG have a mark there.
    """
    if kind in (FileKind.JPEG, FileKind.PNG):
        return False
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start, end = _extent(file, kind, parts)
        end = min(end, size) or size
        if rows is not None:
            return ends_in_zeros(file, start, end, rows)
        if _is_unwritten(file, end):
            raise Refused(RefusalCode.TRUNCATED)
    return False


def _extent(file: BinaryIO, kind: FileKind, parts: tuple[range, ...]) -> tuple[int, int]:
    """Find where the pixels of a picture begin and end; 0 where it does not say it."""
    if parts:
        return min(part.start for part in parts), max(part.stop for part in parts)
    file.seek(0)
    head = file.read(14)
    if kind is FileKind.WEBP:
        return 0, int.from_bytes(head[4:8], "little") + 8
    if kind is FileKind.BMP:
        return int.from_bytes(head[10:14], "little"), int.from_bytes(head[2:6], "little")
    return 0, 0


def _is_unwritten(file: BinaryIO, end: int) -> bool:
    """Return whether a file ends in more zeros than any compression of a picture does.

    By measure, WebP ends a black film of 40 million pixels in fewer than `MOST_ZEROS`.
    """
    return end - written_bytes(file, end) >= max(LEAST_ZEROS, min(MOST_ZEROS, end // 8))


def refuse_float(image: Image.Image) -> None:
    """Refuse floating-point samples: no range is stated, so nobody knows what is white."""
    if image.mode == "F":
        raise Refused(RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED, "floating-point samples")


def _pictures(image: Image.Image, kind: FileKind) -> int:
    """Count the pictures that a file shows: pages or frames, but no thumbnails.

    A JPEG may hold more behind its end (MPO: a preview, a depth map): the first is the picture.
    """
    if kind is not FileKind.TIFF:
        return 1 if kind is FileKind.JPEG else getattr(image, "n_frames", 1)
    pages = 1
    with suppress(EOFError):
        for page in range(1, MOST_PAGES):
            image.seek(page)
            tags = image.tag_v2  # type: ignore[attr-defined]
            pages += not int(tags.get(TIFF_SUBFILE, 0)) & TIFF_THUMBNAIL_OR_MASK
    image.seek(0)
    return pages


def _tiff_parts(image: Image.Image) -> tuple[range, ...]:
    """Find where the strips or tiles of a TIFF are."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    for offsets, lengths in (TIFF_STRIPS, TIFF_TILES):
        starts, sizes = _numbers(tags.get(offsets)), _numbers(tags.get(lengths))
        if starts and len(starts) == len(sizes):
            return tuple(range(at, at + size) for at, size in zip(starts, sizes, strict=True))
    return ()


def _numbers(value: Any) -> list[int]:
    values = value if isinstance(value, Iterable) else () if value is None else (value,)
    return [int(each) for each in values]


def _check_is_whole(path: Path, kind: FileKind, parts: tuple[range, ...] = ()) -> None:
    """Check that the file goes on to the end of its picture; more behind it is allowed.

    parts: of a TIFF.
    """
    whole = (
        path.stat().st_size >= max(part.stop for part in parts)
        if kind is FileKind.TIFF and parts
        else WHOLE[kind](path.read_bytes())
    )
    if not whole:
        raise Refused(RefusalCode.TRUNCATED)


def _jpeg_is_whole(content: bytes) -> bool:
    # A thumbnail in the EXIF segment has an end of its own: only the one after the scan counts.
    return content.find(EOI, _scan_start(content)) >= 0


def _scan_start(jpeg: bytes) -> int:
    """Find where the first scan begins, or the end of a file without one (ISO 10918-1 B.1.1)."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == SOS:
            return at
        # Fill bytes may stand before a marker; every other segment here tells its length.
        at += 1 if marker == 0xFF else 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return len(jpeg)


def _tiff_is_whole(content: bytes) -> bool:
    """Return whether the first directory begins in the file (TIFF 6.0, section 2; BigTIFF)."""
    order, big = ("little" if content[:2] == b"II" else "big"), 43 in content[2:4]
    first = content[8:16] if big else content[4:8]
    at = int.from_bytes(first, order)  # type: ignore[arg-type]
    # A directory has an entry at least; zeros have their place, and are not written yet.
    return at + 2 <= len(content) and any(content[at : at + 8 if big else at + 2])


def _bmp_is_whole(content: bytes) -> bool:
    """Compare with the size in the file header, which is 0 where the file was streamed."""
    return int.from_bytes(content[2:6], "little") <= len(content)


def _webp_is_whole(content: bytes) -> bool:
    """Compare with the length that RIFF writes behind its four letters."""
    return int.from_bytes(content[4:8], "little") + 8 <= len(content)


WHOLE: dict[FileKind, Callable[[bytes], bool]] = {
    FileKind.JPEG: _jpeg_is_whole,
    FileKind.PNG: lambda content: PNG_END in content,
    FileKind.TIFF: _tiff_is_whole,
    FileKind.BMP: _bmp_is_whole,
    FileKind.WEBP: _webp_is_whole,
}
