"""`models reference`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from cli.common.console import err, notice, print_json
from cli.models.ensembles import load_by_name
from cli.models.films import decode, read_films, take_subset
from cli.models.options import Data, Json, Labels, Seed, SubsetName


def reference(
    model: Annotated[
        str | None,
        typer.Argument(help="Ensemble by version or folder. Default: the newest shipped one."),
    ] = None,
    *,
    data: Data,
    labels: Labels = None,
    part: SubsetName = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Make what drift is held against: how an ensemble scores films that it never saw.

    For the data that it was trained on, say `--split held-out` and the seed of its training. Films
    are read the way the worker reads them. Writes reference.json beside the weights.
    """
    from laboratory.assembly.make_reference import make_reference, write_reference
    from laboratory.data.dataset import load_images

    films = decode(take_subset(read_films(data, labels), part, seed))
    ensemble, folder = load_by_name(model)
    description = f"{part or 'all'}, {len(films)} films"
    with err.status(Text(f"Scoring {len(films)} films with {ensemble.version} …")):
        made = make_reference(ensemble, films, load_images(films), description)
    write_reference(folder, made)
    notice(f"The reference lies in {folder}.")
    if json:
        print_json(made)
