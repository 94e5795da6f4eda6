"""Numbers of a header, read with care: one that cannot be read is left aside, and costs no film."""

import math
import re
import struct
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

#: A decimal number as devices write it: PS3.5 6.2 (DS, IS), or with a comma for the point.
DECIMAL = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
#: The comma may stand for a point or part thousands: nobody can tell which.
AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
#: PS3.5 6.2: by their representation, how numbers stand in bytes that came under a wrong one.
BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "US or SS": "H"}
#: No element of one number has more bytes, and none that are read here has more values.
MOST_BYTES, MOST_VALUES = 4096, 256
#: Of an element; or its tag, as those of overlays, which have none of one group alone.
Keyword = str | int


def numbers(dataset: Dataset, keyword: Keyword) -> list[float | None]:
    """Read the values of an element in order; None for each that is empty or no finite number."""
    return [_finite(value) for value in _values(dataset, Tag(keyword))]


def first_number(dataset: Dataset, keyword: Keyword) -> float | None:
    """Read the first value of an element; None where it is absent, empty or no finite number."""
    return next(iter(numbers(dataset, keyword)), None)


def whole_number(dataset: Dataset, keyword: Keyword) -> int | None:
    """Read the first value as a whole number; None where it is none."""
    number = first_number(dataset, keyword)
    return int(number) if number is not None and number.is_integer() else None


def positive_number(dataset: Dataset, keyword: Keyword, otherwise: int) -> int:
    """Read a whole number above zero; take another where it is absent or none."""
    number = first_number(dataset, keyword)
    return int(number) if number is not None and number >= 1 else otherwise


def says_something(dataset: Dataset, keyword: Keyword) -> bool:
    """Return whether an element is there and not empty, whatever it says."""
    return any(value not in (None, "", b"") for value in _values(dataset, Tag(keyword)))


def _values(dataset: Dataset, tag: BaseTag) -> list[Any]:
    """Read the values as pydicom converts them, else as they stand in the file."""
    if tag not in dataset:
        return []
    try:
        value = dataset[tag].value
    except MemoryError:
        raise
    except Exception:
        # pydicom converts values when they are asked for, and raises what it likes.
        value = dataset.get_item(tag).value
    if isinstance(value, bytes):
        value = _unpacked(value[:MOST_BYTES], dictionary_VR(tag))
    if isinstance(value, str):
        # PS3.5 6.4: the values of one element are parted by backslashes.
        value = value.split("\\")
    listed = list(value) if isinstance(value, list | tuple | MultiValue) else [value]
    return [_plain(each) for each in listed[:MOST_VALUES]]


def _unpacked(value: bytes, vr: str) -> list[float] | str:
    """Read bytes as the numbers that the element ought to hold, else as the text that it may be."""
    kind = BINARY.get(vr)
    if kind is None or len(value) % struct.calcsize(kind):
        return value.decode("latin-1")
    return list(struct.unpack(f"<{len(value) // struct.calcsize(kind)}{kind}", value))


def _plain(value: Any) -> Any:
    """Return a text without what fills it up; of a decimal string the text, which pydicom keeps."""
    value = getattr(value, "original_string", value)
    return value.strip("\0 \t\r\n") if isinstance(value, str) else value


def _finite(value: Any) -> float | None:
    if isinstance(value, str):
        if not DECIMAL.fullmatch(value) or AMBIGUOUS.fullmatch(value):
            return None
        value = value.replace(",", ".")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
