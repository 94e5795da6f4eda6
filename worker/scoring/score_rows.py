"""Results of files as lines of text: JSON Lines, or CSV (RFC 4180). Pure."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import to_json

from models.manifest import Manifest
from readfirst.printable import one_line, spreadsheet_text
from worker.scoring.offline_scoring import FileScore

#: Columns of CSV; the members of the ensemble follow.
COLUMNS = (
    *("path", "status", "code", "reason", "probability", "spread"),
    *("flagged", "threshold", "ensemble", "population", "marks"),
)


@dataclass(frozen=True, slots=True)
class WrittenScore:
    """The part of a result that is read again: whose it is, and how it is stated."""

    path: str
    ensemble: str
    threshold: float
    population: str | None


class ScoreRows(Protocol):
    """A way to write results, each as one line."""

    #: The first line of a file, and how it begins for every ensemble; empty where there is none.
    heading: bytes
    heading_start: bytes

    def line(self, score: FileScore) -> bytes:
        """Return a result, with the end of its line."""

    def read(self, line: bytes) -> WrittenScore:
        """Read a line again. Raises ValueError."""


class JsonLines:
    """A JSON object a line, with the fields of `FileScore`."""

    heading = heading_start = b""

    def line(self, score: FileScore) -> bytes:
        """Return a result, with the end of its line."""
        return to_json(score) + b"\n"

    def read(self, line: bytes) -> WrittenScore:
        """Read a line again. Raises ValueError."""
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("no object")
        return _written(row)


class CsvRows:
    """A heading, and a row for each result. members: of the ensemble, in their order."""

    def __init__(self, members: Sequence[str]) -> None:
        self._members = members
        self.heading = _csv_line((*COLUMNS, *members))
        self.heading_start = _csv_line(COLUMNS).strip()

    def line(self, score: FileScore) -> bytes:
        """Return a result, with the end of its line."""
        values = [getattr(score, name) for name in COLUMNS[:-1]]
        marks = " ".join(mark.code.value for mark in score.marks)
        return _csv_line([*values, marks, *(score.members.get(name) for name in self._members)])

    def read(self, line: bytes) -> WrittenScore:
        """Read a line again. Raises ValueError."""
        (cells,) = csv.reader([line.decode()])
        return _written(dict(zip(COLUMNS, cells, strict=False)))


def csv_rows(manifest: Manifest) -> CsvRows:
    """Rows of CSV with a column for each member of an ensemble."""
    return CsvRows(sorted(member.name for member in manifest.members))


def _written(row: Mapping[str, Any]) -> WrittenScore:
    try:
        population = row.get("population") or None
        return WrittenScore(
            str(row["path"]), str(row["ensemble"]), float(row["threshold"]), population
        )
    except (KeyError, TypeError) as error:
        raise ValueError("no result") from error


def _csv_line(cells: Sequence[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(
        one_line(spreadsheet_text(cell)) if isinstance(cell, str) else cell for cell in cells
    )
    return out.getvalue().encode()
