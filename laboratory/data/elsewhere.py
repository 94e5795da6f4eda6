"""Films from elsewhere: other people, other hospitals, and images that are no chest films.

A folder with a table `films.csv` beside the films. It has a row for each film and these columns:
`file` (path from the folder on), `label`, `radiologist_label` (the class that a radiologist gave
it, empty where none did), `population` (`adult`, `minor`, or empty), `patient`, `age` (years),
`view` (`AP`, `PA`, or empty) and `licence`. Others are left aside.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from laboratory.data.dataset import read_grey
from models.preprocessing import Array8, standardise
from readfirst.errors import Misconfigured

TABLE = "films.csv"
COLUMNS = ("file", "label", "radiologist_label", "population", "patient", "age", "view", "licence")


class Half(StrEnum):
    """The half of the patients that a film belongs to: one to fit on, one to measure on."""

    FIT = "fit"
    MEASURE = "measure"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFromElsewhere:
    """A film of the table. source: the first folder of its path. age: in years; None if unknown."""

    path: Path
    source: str
    label: str
    radiologist_label: str
    population: str
    patient: str
    age: float | None
    view: str
    licence: str

    @property
    def half(self) -> Half:
        """Return the half of its patient: by a digest, so that it never changes."""
        digest = hashlib.sha256(self.patient.encode()).digest()
        return Half.FIT if digest[0] % 2 == 0 else Half.MEASURE


def read_elsewhere(folder: Path) -> list[FilmFromElsewhere]:
    """Read the table of a folder, in its order.

    Where no patient is named, the file counts as one. Raises Misconfigured if the table, a column
    or a file is missing, or an age is no number.
    """
    table = folder / TABLE
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise Misconfigured(f"{table} cannot be read ({error.strerror}).") from error
    missing = set(COLUMNS) - (rows[0].keys() if rows else set())
    if missing:
        raise Misconfigured(f"{table} has no column {', no column '.join(sorted(missing))}.")
    return [_film(folder, row, f"{table}, line {line}") for line, row in enumerate(rows, 2)]


def load_model_ready(films: Iterable[FilmFromElsewhere]) -> Array8:
    """Load the model-ready images of the films, (n, 224, 224) uint8."""
    return np.stack([standardise(read_grey(film.path)) for film in films])


def in_half(films: Sequence[FilmFromElsewhere], half: Half) -> list[FilmFromElsewhere]:
    """Take the films whose patients are in this half."""
    return [film for film in films if film.half is half]


def _film(folder: Path, row: dict[str, str], line: str) -> FilmFromElsewhere:
    path = folder / row["file"]
    if not path.is_file():
        raise Misconfigured(f"{line}: there is no file {path}.")
    try:
        age = float(row["age"]) if row["age"] else None
    except ValueError as error:
        raise Misconfigured(f"{line}: {row['age']!r} is no age.") from error
    return FilmFromElsewhere(
        path=path,
        source=Path(row["file"]).parts[0],
        label=row["label"],
        radiologist_label=row["radiologist_label"],
        population=row["population"],
        patient=row["patient"] or row["file"],
        age=age,
        view=row["view"],
        licence=row["licence"],
    )
