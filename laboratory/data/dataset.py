"""Labelled films in the Kaggle layout, split by patient."""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from models.preprocessing import Array8, standardise
from readfirst.errors import Misconfigured

#: Folder names of the layout, and the class of each.
CLASSES = {"NORMAL": 0, "PNEUMONIA": 1}
#: Labels that a CSV may have.
LABELS = {"0": 0, "normal": 0, "1": 1, "pneumonia": 1}
PNEUMONIA = re.compile(r"(?P<patient>person\d+)_(?P<cause>bacteria|virus)_")
NORMAL = re.compile(r"(?P<patient>(?P<series>NORMAL2-)?IM-\d+)")
SUFFIXES = {".jpeg", ".jpg", ".png"}


class Subset(StrEnum):
    """Subset of the patients: each patient's films are in one of them."""

    TRAIN = "train"
    #: Early stopping, combination, calibration, operating point.
    TUNE = "tune"
    #: Touched only to report.
    HELD_OUT = "held-out"

    def __repr__(self) -> str:
        """Return the text that is part of the origin of weights (`laboratory.training.origin`).

        Another text would make every earlier training one of unknown origin.
        """
        return f"<Part.{self.name}: {self.value!r}>"


#: Shares of the patients of each group.
SHARES = {Subset.TRAIN: 0.70, Subset.TUNE: 0.15, Subset.HELD_OUT: 0.15}


@dataclass(frozen=True, slots=True)
class LabelledFilm:
    """A labelled image. group: `normal-1`, `normal-2`, `bacterial`, `viral` or the class."""

    path: Path
    label: int
    patient: str
    group: str


def read_folder(folder: Path) -> list[LabelledFilm]:
    """Read the films of a folder with `NORMAL` and `PNEUMONIA` in it, each content once, by name.

    Raises Misconfigured if the folder has another layout or no image.
    """
    return _once_each(list_folder(folder))


def list_folder(folder: Path) -> list[LabelledFilm]:
    """The same, with files of equal content."""
    missing = [name for name in CLASSES if not (folder / name).is_dir()]
    if missing:
        raise Misconfigured(f"{folder} has no folder {' and no '.join(missing)}.")
    films = [
        _film(path, label)
        for name, label in CLASSES.items()
        for path in sorted((folder / name).iterdir())
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not films:
        raise Misconfigured(f"{folder} holds no image.")
    return films


def read_labels(table: Path, folder: Path) -> list[LabelledFilm]:
    """Read the films of a CSV with the columns `path` and `label`, each content once.

    path: from the folder on. label: 0 or 1, `normal` or `pneumonia`. Columns `patient` and
    `group` may be there; else each file is a patient of its own and its class its group.
    Raises Misconfigured if a column or a file is missing or a label is none of these.
    """
    return _once_each(list_labels(table, folder))


def list_labels(table: Path, folder: Path) -> list[LabelledFilm]:
    """The same, with files of equal content."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "label"} <= rows[0].keys():
        raise Misconfigured(f"{table} needs the columns path and label, and a row.")
    return [_labelled(row, folder, table, n) for n, row in enumerate(rows, 2)]


def split(films: Sequence[LabelledFilm], seed: int) -> dict[Subset, list[LabelledFilm]]:
    """Split the films so that no patient stands in two subsets, alike in every group.

    The same films and seed always give the same subsets.
    """
    patients = _patients_by_group(films)
    subset_of: dict[str, Subset] = {}
    generator = np.random.default_rng(seed)
    for group in sorted(patients):
        order = generator.permutation(sorted(patients[group]))
        tune = round(len(order) * SHARES[Subset.TUNE])
        held_out = round(len(order) * SHARES[Subset.HELD_OUT])
        subset_of.update(dict.fromkeys(order[:tune], Subset.TUNE))
        subset_of.update(dict.fromkeys(order[tune : tune + held_out], Subset.HELD_OUT))
        subset_of.update(dict.fromkeys(order[tune + held_out :], Subset.TRAIN))
    return {
        subset: [film for film in films if subset_of[film.patient] is subset] for subset in Subset
    }


def load_images(films: Iterable[LabelledFilm]) -> Array8:
    """Load the model-ready images of the films: (n, 224, 224) uint8."""
    return np.stack([standardise(read_grey(film.path)) for film in films])


def labels_of(films: Iterable[LabelledFilm]) -> np.ndarray:
    """Return the classes: (n,) int64, 1 is pneumonia."""
    return np.array([film.label for film in films], dtype=np.int64)


def read_grey(path: Path) -> Array8:
    """Read a picture in grey, (rows, columns) uint8."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _film(path: Path, label: int) -> LabelledFilm:
    if match := PNEUMONIA.match(path.name):
        group = "bacterial" if match["cause"] == "bacteria" else "viral"
        return LabelledFilm(path, label, match["patient"], group)
    if match := NORMAL.match(path.name):
        return LabelledFilm(
            path, label, match["patient"], "normal-2" if match["series"] else "normal-1"
        )
    # Another source: each file is a patient of its own.
    return LabelledFilm(path, label, path.stem, "pneumonia" if label else "normal")


def _labelled(row: Mapping[str, str | None], folder: Path, table: Path, line: int) -> LabelledFilm:
    path = folder / (row["path"] or "")
    label = LABELS.get((row["label"] or "").strip().lower())
    if label is None:
        raise Misconfigured(f"{table}, line {line}: {row['label']!r} is no label.")
    if not path.is_file():
        raise Misconfigured(f"{table}, line {line}: there is no file {path}.")
    group = row.get("group") or ("pneumonia" if label else "normal")
    return LabelledFilm(path, label, row.get("patient") or path.stem, group)


def _once_each(films: Iterable[LabelledFilm]) -> list[LabelledFilm]:
    seen: dict[str, LabelledFilm] = {}
    for film in films:
        seen.setdefault(hashlib.sha256(film.path.read_bytes()).hexdigest(), film)
    return list(seen.values())


def _patients_by_group(films: Iterable[LabelledFilm]) -> dict[str, set[str]]:
    """Group each patient once, by the first film."""
    group_of: dict[str, str] = {}
    for film in films:
        group_of.setdefault(film.patient, film.group)
    patients: dict[str, set[str]] = defaultdict(set)
    for patient, group in group_of.items():
        patients[group].add(patient)
    return patients
