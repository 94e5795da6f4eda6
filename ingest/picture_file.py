"""What a picture says of itself, and whether all of it is there: JPEG, PNG, TIFF, BMP and WebP."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from ingest.dicom_file import check_size
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
#: Pages of a TIFF that are looked at: more than a film and its thumbnails are refused anyway.
MOST_PAGES = 8
#: Bits of a sample by Pillow's mode; all others have 8.
DEEP_MODES = {"I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}


def picture_header(path: Path, kind: FileKind) -> Header:
    """Size and number of pictures in a file. Raises Refused, as `ingest.header.read_header`."""
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
            extents = _tiff_extents(image) if kind is FileKind.TIFF else ()
    except Image.DecompressionBombError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except (Refused, MemoryError):
        raise
    except Exception as error:
        # Pillow raises many kinds for broken files (OSError, SyntaxError, ValueError).
        _check_is_whole(path, kind)
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error
    _check_is_whole(path, kind, extents)
    return header


def refuse_float(image: Image.Image) -> None:
    """Floating-point samples have no range that anybody states, so nobody knows what is white."""
    if image.mode == "F":
        raise Refused(RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED, "floating-point samples")


def _pictures(image: Image.Image, kind: FileKind) -> int:
    """How many pictures a file shows: pages or frames, but no thumbnails.

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


def _tiff_extents(image: Image.Image) -> tuple[int, ...]:
    """Where each strip or tile of a TIFF ends."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    for offsets, lengths in (TIFF_STRIPS, TIFF_TILES):
        starts, sizes = _numbers(tags.get(offsets)), _numbers(tags.get(lengths))
        if starts and len(starts) == len(sizes):
            return tuple(start + size for start, size in zip(starts, sizes, strict=True))
    return ()


def _numbers(value: Any) -> list[int]:
    values = value if isinstance(value, Iterable) else () if value is None else (value,)
    return [int(each) for each in values]


def _check_is_whole(path: Path, kind: FileKind, extents: tuple[int, ...] = ()) -> None:
    """Whether the file goes on to the end of its picture; what a device wrote behind is allowed.

    extents: where the parts of a TIFF end.
    """
    whole = (
        path.stat().st_size >= max(extents, default=0)
        if kind is FileKind.TIFF and extents
        else WHOLE[kind](path.read_bytes())
    )
    if not whole:
        raise Refused(RefusalCode.TRUNCATED)


def _jpeg_is_whole(content: bytes) -> bool:
    # A thumbnail in the EXIF segment has an end of its own: only the one after the scan counts.
    return content.find(EOI, _scan_start(content)) >= 0


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


def _tiff_is_whole(content: bytes) -> bool:
    """Whether the first directory begins in the file at all (TIFF 6.0, section 2; BigTIFF)."""
    order, big = ("little" if content[:2] == b"II" else "big"), 43 in content[2:4]
    first = content[8:16] if big else content[4:8]
    return int.from_bytes(first, order) + 2 <= len(content)  # type: ignore[arg-type]


def _bmp_is_whole(content: bytes) -> bool:
    """The file header tells the size of the whole, or nothing where it was streamed."""
    return int.from_bytes(content[2:6], "little") <= len(content)


def _webp_is_whole(content: bytes) -> bool:
    """RIFF: the length of what follows stands behind the four letters."""
    return int.from_bytes(content[4:8], "little") + 8 <= len(content)


WHOLE: dict[FileKind, Callable[[bytes], bool]] = {
    FileKind.JPEG: _jpeg_is_whole,
    FileKind.PNG: lambda content: PNG_END in content,
    FileKind.TIFF: _tiff_is_whole,
    FileKind.BMP: _bmp_is_whole,
    FileKind.WEBP: _webp_is_whole,
}
