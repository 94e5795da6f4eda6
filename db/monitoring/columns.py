"""The columns that all figures of the monitoring are counted from, one row for a film or a study.

They are read from the database for the days that may still change, and kept as they are for days
that are over (`db.monitoring.kept_days`): so a year costs no more than the reading of its bytes,
and a figure reads those of the tables alone that it is counted from.
"""

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from readfirst.domain import ImageState
from readfirst.monitoring.period import TimeBucket
from readfirst.studies.findings import Finding

Rows = npt.NDArray[np.void]
Array = npt.NDArray[Any]
#: The states of an image, by number.
STATES = tuple(ImageState)
#: The findings of readers, by number; a study without a standing verdict has -1.
FINDINGS = tuple(Finding)
#: No name: of a film that is not refused, or a scanner that no header names.
NONE = -1
DAY = ("day", "<i4")

#: A film, by the day on which it came in. day: `date.toordinal`. code, scanner: numbers of names.
#: flagged, scored: of its study. seconds: from its arrival to its first score; NaN: not yet.
#: version: the number of the name of the ensemble that gave it.
FILM = np.dtype(
    [
        DAY,
        ("state", "u1"),
        ("code", "<i2"),
        ("scanner", "<i2"),
        ("version", "<i2"),
        ("flagged", "?"),
        ("scored", "?"),
        ("seconds", "<f4"),
    ]
)
#: How a film was exposed: what is measured on it, and what its header says. NaN: not known.
EXPOSURE = np.dtype(
    [
        DAY,
        ("scanner", "<i2"),
        ("median_grey", "<f4"),
        ("clipped_share", "<f4"),
        ("exposure", "<f4"),
        ("exposure_index", "<f4"),
        ("deviation_index", "<f4"),
    ]
)
#: A score of a film that came in on the day. version: the number of a name.
SCORE = np.dtype([DAY, ("scanner", "<i2"), ("version", "<i2"), ("probability", "<f8")])
#: A study, by the day on which it came in. seconds: until it was read; NaN: not yet.
#: prior: nobody waits for its being read. threshold: the version of that by which it is flagged or
#: not; 0 without a score. version: the number of the name of the ensemble that it ranks by.
STUDY = np.dtype(
    [
        DAY,
        ("flagged", "?"),
        ("scored", "?"),
        ("seconds", "<f4"),
        ("prior", "?"),
        ("threshold", "<i2"),
        ("version", "<i2"),
    ]
)
#: A study as an ensemble version scored it, and the standing finding of its readers. threshold: the
#: version of that ensemble's threshold. blind: they had not seen what the AI said.
OPINION = np.dtype(
    [
        DAY,
        ("version", "<i2"),
        ("probability", "<f8"),
        ("flagged", "?"),
        ("threshold", "<i2"),
        ("finding", "i1"),
        ("blind", "?"),
    ]
)
#: A file that is no film, and was set aside.
IGNORED = np.dtype([DAY])
#: In the order in which a kept day has them: first what the page begins with.
TABLES = {
    "films": FILM,
    "studies": STUDY,
    "ignored": IGNORED,
    "opinions": OPINION,
    "scores": SCORE,
    "exposures": EXPOSURE,
}
#: The columns that hold numbers of names.
NAMED = ("code", "scanner", "version")


@dataclass(frozen=True, slots=True)
class Columns:
    """A table of some days, in the order of the days: the rows of a week lie together.

    names: what its columns `code`, `scanner` and `version` number.
    """

    names: tuple[str, ...]
    rows: Rows

    def __getitem__(self, column: str) -> Array:
        """A column: (rows,)."""
        return self.rows[column]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def where(self, mask: Array) -> "Columns":
        """The rows for which a mask is true, in their order, with the same names. mask: (rows,)."""
        return Columns(self.names, _as_bytes(self.rows)[mask].view(self.rows.dtype))

    def number_of(self, name: str) -> int:
        """The number of a name; one that no row has, if it does not occur."""
        return self.names.index(name) if name in self.names else len(self.names)


def joined(dtype: np.dtype[np.void], blocks: Sequence[Columns]) -> Columns:
    """The rows of all blocks, which are in the order of their days, with one list of names."""
    if not blocks:
        return Columns((), np.zeros(0, dtype))
    numbers: dict[str, int] = {}
    for block in blocks:
        for name in block.names:
            numbers.setdefault(name, len(numbers))
    rows = np.concatenate([_as_bytes(block.rows) for block in blocks]).view(dtype)
    for column in NAMED:
        if column in (dtype.names or ()):
            _renumber(rows[column], blocks, numbers)
    return Columns(tuple(numbers), rows)


def of_days(columns: Columns, first: date, last: date) -> Columns:
    """The rows of some of the days, with the same names. first, last: both included."""
    (part,) = bucket_slices(columns["day"], [TimeBucket(first, last)])
    return Columns(columns.names, columns.rows[part])


def _as_bytes(rows: Rows) -> Rows:
    """Rows without their fields, by which NumPy takes ten times as long to copy them."""
    return rows.view(np.dtype((np.void, rows.dtype.itemsize)))


def _renumber(column: Array, blocks: Sequence[Columns], numbers: dict[str, int]) -> None:
    start = 0
    for block in blocks:
        end = start + len(block)
        new = [numbers[each] for each in block.names]
        # Most days have the names of the days before.
        if new != list(range(len(new))):
            # The last stands for NONE, which is the last from the end.
            column[start:end] = np.array([*new, NONE], dtype="<i2")[column[start:end]]
        start = end


def to_bytes(columns: Columns) -> bytes:
    """Write a table as bytes: the length of the JSON of its names, that JSON, and its rows."""
    head = json.dumps(columns.names).encode()
    return b"".join([struct.pack("<I", len(head)), head, columns.rows.tobytes()])


def from_bytes(dtype: np.dtype[np.void], content: bytes) -> Columns:
    """Read what `to_bytes` wrote."""
    (length,) = struct.unpack_from("<I", content)
    names = json.loads(content[4 : 4 + length])
    return Columns(tuple(names), np.frombuffer(content, dtype, offset=4 + length))


def in_order(table: Rows) -> Rows:
    """The rows in the order of their days."""
    return _as_bytes(table)[np.argsort(table["day"], kind="stable")].view(table.dtype)


def bucket_slices(days: Array, buckets: Sequence[TimeBucket]) -> list[slice]:
    """The rows that lie in each time bucket. days: (rows,), of each, in order."""
    firsts = np.searchsorted(days, [bucket.first.toordinal() for bucket in buckets])
    ends = np.searchsorted(days, [bucket.last.toordinal() + 1 for bucket in buckets])
    return [slice(int(first), int(end)) for first, end in zip(firsts, ends, strict=True)]


def occurring(numbers: Array) -> list[int]:
    """The numbers from 0 on that occur among some, in order."""
    return [int(number) for number in np.flatnonzero(np.bincount(numbers[numbers >= 0]))]


def versions_text(numbers: Array) -> str:
    """The versions that occur among numbers, as `1, 2`; 0 stands for none."""
    return ", ".join(str(number) for number in occurring(numbers) if number)


def ensembles_text(columns: Columns, versions: Array) -> str:
    """The ensemble versions by their numbers, as `1.0, 2.0`; empty where there is none."""
    return ", ".join(sorted(columns.names[number] for number in occurring(versions)))


def counts_by(bins: int, parts: Sequence[slice], numbers: Array) -> Array:
    """Count rows by time bucket and a number: (buckets, bins).

    parts: the rows of each bucket, by `bucket_slices`. numbers: (rows,), from 0 on and below bins.
    """
    return np.array([np.bincount(numbers[part], minlength=bins) for part in parts])


def numbered(names: dict[str, int], name_of: Callable[[Any], str | None], values: Any) -> list[int]:
    """Number names, as a new one comes by the next number; NONE where there is none."""
    numbers = []
    for value in values:
        name = name_of(value)
        numbers.append(NONE if name is None else names.setdefault(name, len(names)))
    return numbers
