"""All elements of a file, for a person to read: bounded, and without its pixels."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from ingest.dicom.dicom_file import check_size, open_dicom, read_elements
from ingest.dicom.sniff import kind_of
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
    """Read the elements of a DICOM file before its pixels, or the facts of a picture.

    Raises Refused as `ingest.dicom.header.read_header`, but for missing or broken pixels.
    """
    kind = kind_of(path)
    with warnings.catch_warnings():
        # As in `ingest.dicom.header`.
        warnings.simplefilter("ignore")
        return _bounded(_dicom(path) if kind is FileKind.DICOM else _picture(path, kind))


def _bounded(rows: Iterator[Element]) -> list[Element]:
    """Keep as many as a person can look at; the last one says that there are more."""
    kept: list[Element] = []
    characters = 0
    for row in rows:
        characters += len(row.keyword) + len(row.value)
        if len(kept) == MOST_ROWS or characters > MOST_OF_ALL:
            kept.append(_row(0, "", "…", "", "there is more, which is not shown"))
            break
        kept.append(row)
    return kept


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
            # As in `ingest.dicom.dicom_file`: pydicom converts values when they are asked for.
            yield _row(depth, _tag(tag), "", "", "cannot be read")
            continue
        if element.VR == "SQ":
            yield from _sequence(element, depth)
        else:
            yield _row(depth, _tag(tag), _name(element), element.VR, _value(element))


def _sequence(element: DataElement, depth: int) -> Iterator[Element]:
    items = list(element.value or ())
    count = f"{len(items)} item{'' if len(items) == 1 else 's'}"
    yield _row(depth, _tag(element.tag), _name(element), "SQ", count)
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


def _tag(tag: BaseTag) -> str:
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
                density = " x ".join(f"{float(each):g}" for each in dots)
                yield _row(0, "", "Dots per inch", "", density)
            for number, value in image.getexif().items():
                name = ExifTags.TAGS.get(number, f"EXIF {number}")
                text = f"{len(value)} bytes, not shown" if isinstance(value, bytes) else str(value)
                yield _row(0, "", name, "", text)
    except Image.DecompressionBombError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except (Refused, MemoryError):
        raise
    except Exception as error:
        # As in `ingest.dicom.picture_file`.
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error


def _row(depth: int, tag: str, keyword: str, vr: str, value: str) -> Element:
    """Make a row with a value of one line that is not too long."""
    line = "".join(char if char.isprintable() else " " for char in value[: MOST_CHARACTERS + 1])
    cut = f"{line[:MOST_CHARACTERS]}…" if len(line) > MOST_CHARACTERS else line
    return Element(depth=depth, tag=tag, keyword=keyword[:MOST_CHARACTERS], vr=vr, value=cut)
