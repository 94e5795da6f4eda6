"""The films that a command is given: read, decoded, and split by patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import track

from cli.common.console import err, notice
from readfirst.errors import Refused
from readfirst.settings import load_settings

if TYPE_CHECKING:
    from laboratory.data.dataset import LabelledFilm
    from laboratory.training.batches import LabelledImages

#: Suffixes of the files that are read as they are.
PICTURES = (".jpeg", ".jpg", ".png")


def read_films(data: Path, labels: Path | None) -> list[LabelledFilm]:
    """Read the labelled films of a folder, by its layout or by a CSV. Raises Misconfigured."""
    from laboratory.data.dataset import read_folder, read_labels

    with err.status("Reading the films …"):
        films = read_labels(labels, data) if labels else read_folder(data)
    return films if all(film.path.suffix.lower() in PICTURES for film in films) else decode(films)


def take_subset(films: list[LabelledFilm], subset: str | None, seed: int) -> list[LabelledFilm]:
    """Keep the films of a subset of the patients; all of them if none is named."""
    from laboratory.data.dataset import Subset, split

    return films if subset is None else split(films, seed)[Subset(subset)]


def load_labelled(films: Sequence[LabelledFilm]) -> LabelledImages:
    """Load the images of the films, with their labels."""
    from laboratory.data.dataset import labels_of, load_images
    from laboratory.training.batches import LabelledImages

    return LabelledImages(load_images(films), labels_of(films))


def decode(films: list[LabelledFilm]) -> list[LabelledFilm]:
    """Keep the films as model-ready PNGs, read as the worker reads them; refused ones are named."""
    import numpy as np
    from PIL import Image

    from ingest.reader.reader_process import Reader
    from models.digests import file_sha256
    from models.preprocessing import LEAST_SIDE, standardise

    settings = load_settings()
    folder = settings.home_path / "training"
    folder.mkdir(parents=True, exist_ok=True)
    decoded = []
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        for film in track(films, "Decoding", console=err, transient=True):
            path = folder / f"{file_sha256(film.path)}.png"
            if not path.exists():
                try:
                    ready = standardise(reader.film(film.path, LEAST_SIDE))
                    Image.fromarray(np.asarray(ready)).save(path)
                except Refused as refusal:
                    notice(f"{film.path}: {refusal.reason}")
                    continue
            decoded.append(replace(film, path=path))
    return decoded
