"""Options that several of the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Data = Annotated[
    Path,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder with NORMAL and PNEUMONIA in it; with --labels, where the CSV's paths begin.",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="CSV with the columns path, label (0, 1, normal or pneumonia) and, if known, patient "
        "and group; the files may be DICOM.",
    ),
]
#: The values are those of `laboratory.data.dataset.Subset`.
SubsetName = Annotated[
    Literal["train", "tune", "held-out"] | None,
    typer.Option("--split", help="Patients of this part of the split only. Default: every film."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Decides which patients are trained on.")
]
RecipeName = Annotated[str, typer.Argument(help="A recipe.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change the recipe: FIELD=VALUE, as mixup=0.2. May be repeated."),
]
ImageNet = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="VGG16's ImageNet weights. Default: downloaded."
    ),
]
