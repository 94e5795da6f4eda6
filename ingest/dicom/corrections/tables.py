"""Look-up tables of modality and VOI, by what their data prove (PS3.3 C.11.1.1.1, C.11.2.1.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from ingest.dicom.numbers import numbers, says_something

#: PS3.3 C.11.1.1: a number of entries of 0 stands for these.
MOST_ENTRIES = 2**16
#: PS3.3 C.11.2.1.1: bits of an entry, at least and at most.
LEAST_BITS, MOST_BITS = 8, 16
Entries = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LookUpTable:
    """A table for whole numbers. first: the value that has the first entry. bits: of an entry.

    declared_entries, declared_bits: what its descriptor says of both.
    """

    entries: Entries
    first: int
    bits: int
    declared_entries: int
    declared_bits: int

    def look_up(self, values: npt.NDArray[Any]) -> Entries:
        """Return the entries of values; those before and behind the table have its ends."""
        whole = np.rint(values).astype(np.int64)
        first = self._aligned(int(whole.min()), int(whole.max()))
        entries: Entries = self.entries[np.clip(whole - first, 0, len(self.entries) - 1)]
        return entries

    def _aligned(self, low: int, high: int) -> int:
        """Return the first value with the sign that lets the table reach the values."""
        signs = (self.first, self.first + MOST_ENTRIES, self.first - MOST_ENTRIES)
        reaching = (at for at in signs if at <= high and at + len(self.entries) > low)
        return next(reaching, self.first)


def table_of(dataset: Dataset, keyword: str) -> LookUpTable | None:
    """Read the first table of a sequence that can be read; None if none can.

    keyword: ModalityLUTSequence or VOILUTSequence. A descriptor is right where it fits the data:
    else there are as many entries as data, and as many bits as the highest entry needs.
    """
    tables = (_table(item) for item in items(dataset, keyword))
    return next((table for table in tables if table is not None), None)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is no sequence."""
    try:
        value = dataset.get(keyword)
        return [item for item in value or () if isinstance(item, Dataset)]
    except MemoryError:
        raise
    except Exception:
        # pydicom converts values when they are asked for, and raises what it likes.
        return []


def little_endian_tables(dataset: Dataset, keyword: str) -> None:
    """Turn the bytes of tables that came in a big endian file, where words are not turned yet."""
    for item in items(dataset, keyword):
        data = _data(item)
        if isinstance(data, bytes):
            words = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2")
            item.add_new("LUTData", "OW", words.tobytes())


def _table(item: Dataset) -> LookUpTable | None:
    descriptor = numbers(item, "LUTDescriptor")[:3]
    if len(descriptor) < 3 or None in descriptor:
        return None
    declared, first, bits = (int(number or 0) for number in descriptor)
    # The first value counts up to 65,535, whatever sign its representation gives it.
    count = declared % MOST_ENTRIES or MOST_ENTRIES
    entries = _entries(item, count, bits)
    if entries is None:
        return None
    needed = max(LEAST_BITS, int(entries.max()).bit_length())
    return LookUpTable(entries, first, needed, count, bits)


def _entries(item: Dataset, count: int, bits: int) -> Entries | None:
    """Read the entries, in words or, with 8 bits, in bytes; None where there are none."""
    data = _data(item)
    if isinstance(data, bytes):
        words = np.frombuffer(data[: len(data) // 2 * 2], "<u2")
    elif data is not None:
        words = (np.asarray(data) % MOST_ENTRIES).astype("<u2")
    else:
        return None
    if bits <= LEAST_BITS and len(words) == -(-count // 2) and words.size and words.max() > 255:
        # PS3.3 C.11.1.1.1: entries of 8 bits may be packed, two in a word.
        words = words.view(np.uint8)
    if isinstance(data, bytes) and bits <= LEAST_BITS and len(data) in (count, count + 1):
        words = np.frombuffer(data, np.uint8)
    more = words[count:]
    kept = words if more.any() else words[:count]
    return kept[:MOST_ENTRIES].astype(np.int32) if kept.size else None


def _data(item: Dataset) -> bytes | list[float] | None:
    """Return LUT Data (0028,3006) as bytes, or as the numbers that they are; None if neither."""
    try:
        value = item.get("LUTData")
    except MemoryError:
        raise
    except Exception:
        # As in `items`; the bytes are there all the same.
        value = item.get_item("LUTData").value
    if isinstance(value, bytes) or value is None:
        return value
    if isinstance(value, str):
        value = value.split("\\")
    try:
        listed = [int(each) for each in (value if hasattr(value, "__iter__") else [value])]
    except (TypeError, ValueError, OverflowError):
        return None
    return listed  # type: ignore[return-value]


def is_there(dataset: Dataset, keyword: str) -> bool:
    """Return whether a sequence of tables holds anything at all."""
    return any(
        says_something(item, name)
        for item in items(dataset, keyword)
        for name in ("LUTDescriptor", "LUTData")
    )


def put_table(dataset: Dataset, keyword: str, table: LookUpTable, bits: int) -> None:
    """Let a sequence hold one table, written as it is read here. bits: of an entry, as said."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SL", [len(table.entries) % MOST_ENTRIES, table.first, bits])
    item.add_new("LUTData", "OW", table.entries.astype("<u2").tobytes())
    setattr(dataset, keyword, [item])
