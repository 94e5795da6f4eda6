"""Everything that a file says of itself, for a person to read: bounded, and without its pixels."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from ingest.dicom_file import check_size, open_dicom, read_elements
from ingest.sniff import kind_of
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: Rows of one file, characters of one value and of all; the rest is cut and told.
MOST_ROWS, MOST_CHARACTERS, MOST_OF_ALL = 1500, 200, 90_000
#: Sequences within sequences that are shown.
MOST_DEPTH = 6
#: PS3.5 6.2: values that are bytes or numbers in bulk.
BULK = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One DICOM data element, or one fact of a picture. depth: 0, or within how many sequences."""

    depth: int
    #: As `(0010,0010)`; empty for a picture and for an item of a sequence.
    tag: str
    #: The attribute's keyword (PS3.6), or what a private element is called.
    keyword: str
    vr: str
    value: str


def read_all(path: Path) -> list[Element]:
    """The elements of a DICOM file before its pixels, or the facts of a picture.

    Raises Refused as `ingest.header.read_header`, but for missing or broken pixels.
    """
    kind = kind_of(path)
    with warnings.catch_warnings():
        # As in `ingest.header`.
        warnings.simplefilter("ignore")
        return _bounded(_dicom(path) if kind is FileKind.DICOM else _picture(path, kind))


def _bounded(rows: Iterator[Element]) -> list[Element]:
    """As many as one look can take; the last one says that there are more."""
    held: list[Element] = []
    characters = 0
    for row in rows:
        characters += len(row.keyword) + len(row.value)
        if len(held) == MOST_ROWS or characters > MOST_OF_ALL:
            held.append(_row(0, "", "…", "", "there is more, which is not shown"))
            break
        held.append(row)
    return held


def _dicom(path: Path) -> Iterator[Element]:
    with open_dicom(path) as dicom:
        dataset = read_elements(dicom, None)
    yield from _elements(dataset.file_meta, 0)
    yield from _elements(dataset, 0)


def _elements(dataset: Dataset, depth: int) -> Iterator[Element]:
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except MemoryError:
            raise
        except Exception:
            # As in `ingest.dicom_file`: pydicom converts values when they are asked for.
            yield _row(depth, _shown(tag), "", "", "cannot be read")
            continue
        if element.VR == "SQ":
            yield from _sequence(element, depth)
        else:
            yield _row(depth, _shown(tag), _name(element), element.VR, _value(element))


def _sequence(element: DataElement, depth: int) -> Iterator[Element]:
    items = list(element.value or ())
    said = f"{len(items)} item{'' if len(items) == 1 else 's'}"
    yield _row(depth, _shown(element.tag), _name(element), "SQ", said)
    for number, item in enumerate(items if depth < MOST_DEPTH else (), 1):
        yield _row(depth + 1, "", f"Item {number}", "", "")
        yield from _elements(item, depth + 1)


def _name(element: DataElement) -> str:
    if element.tag.is_private_creator:
        return "Private Creator"
    if element.tag.is_private:
        # PS3.5 7.8: only its creator knows what it is.
        return f"Private: {element.private_creator or 'of nobody known'}"
    return element.keyword or "Unknown"


def _value(element: DataElement) -> str:
    value: Any = element.value
    if element.VR in BULK or isinstance(value, bytes):
        size = len(value) if value else 0
        return f"{size} bytes, not shown" if size else ""
    if value is None:
        return ""
    several = not isinstance(value, str) and hasattr(value, "__iter__")
    # PS3.5 6.4: the values of one element are parted by backslashes.
    return "\\".join(map(str, value)) if several and element.VM > 1 else str(value)


def _shown(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"


def _picture(path: Path, kind: FileKind) -> Iterator[Element]:
    try:
        with Image.open(path, formats=[kind.value]) as image:
            check_size(*image.size[::-1], len(image.getbands()))
            yield _row(0, "", "Format", "", kind.upper())
            yield _row(0, "", "Columns", "", str(image.width))
            yield _row(0, "", "Rows", "", str(image.height))
            yield _row(0, "", "Mode", "", image.mode)
            yield _row(0, "", "Bytes", "", str(path.stat().st_size))
            if dots := image.info.get("dpi"):
                said = " x ".join(f"{float(one):g}" for one in dots)
                yield _row(0, "", "Dots per inch", "", said)
            for number, value in image.getexif().items():
                name = ExifTags.TAGS.get(number, f"EXIF {number}")
                said = f"{len(value)} bytes, not shown" if isinstance(value, bytes) else str(value)
                yield _row(0, "", name, "", said)
    except Image.DecompressionBombError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except (Refused, MemoryError):
        raise
    except Exception as error:
        # As in `ingest.picture_file`.
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error


def _row(depth: int, tag: str, keyword: str, vr: str, value: str) -> Element:
    """A row with a value of one line that is not too long."""
    line = "".join(one if one.isprintable() else " " for one in value[: MOST_CHARACTERS + 1])
    cut = f"{line[:MOST_CHARACTERS]}…" if len(line) > MOST_CHARACTERS else line
    return Element(depth=depth, tag=tag, keyword=keyword[:MOST_CHARACTERS], vr=vr, value=cut)
