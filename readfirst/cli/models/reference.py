"""`models reference`."""

from __future__ import annotations

from typing import Annotated

import typer

from models.dataset import Part
from readfirst.cli.console import err, notice, print_json
from readfirst.cli.models.options import Data, Json, Labels, Seed, decoded, films_of, loaded


def reference(
    model: Annotated[
        str | None,
        typer.Argument(help="Ensemble by version or folder. Default: the newest shipped one."),
    ] = None,
    *,
    data: Data,
    labels: Labels = None,
    part: Annotated[
        Part | None,
        typer.Option(
            "--split", help="Patients of this part of the split only. Default: every film."
        ),
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Make what drift is held against: how an ensemble scores films that it never saw.

    For the data that it was trained on, say `--split held-out` and the seed of its training. Films
    are read the way the worker reads them. Writes reference.json beside the weights.
    """
    from models.dataset import load_images, split
    from models.reference import make_reference, write_reference

    films = films_of(data, labels)
    if part is not None:
        films = split(films, seed)[part]
    films = decoded(films)
    ensemble, folder = loaded(model)
    which = part.value if part else "all"
    with err.status(f"Scoring {len(films)} films with {ensemble.version} …"):
        made = make_reference(ensemble, films, load_images(films), f"{which}, {len(films)} films")
    write_reference(folder, made)
    notice(f"The reference lies in {folder}.")
    if json:
        print_json(made)
