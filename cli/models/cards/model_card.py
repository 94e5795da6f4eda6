"""`models card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from cli.common.console import notice, print_json
from cli.models.ensembles import find_manifest
from cli.models.options import Json
from models.cards.card import model_card
from models.cards.evaluations import read_evaluations
from models.cards.markdown import to_markdown
from models.manifest import shipped_version
from readfirst.files.private_files import users_umask
from readfirst.printable import printable


def card(
    model: Annotated[
        str | None,
        typer.Argument(help="Ensemble by version or folder. Default: the newest shipped one."),
    ] = None,
    *,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Figures on other films: report.json of `models evaluate --report`, or what its "
            "--json printed of this ensemble. May be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="File. Default: standard output."),
    ] = None,
    json: Json = False,
) -> None:
    """Write the model card of an ensemble, as Markdown.

    Purpose, validated population, figures with intervals, limits, how the threshold was chosen,
    what it refuses, data and licences.
    """
    manifest = find_manifest(model or shipped_version())
    evaluations = [
        evaluation
        for path in report or ()
        for evaluation in read_evaluations(path, manifest.version)
    ]
    made = model_card(manifest, evaluations)
    if output is not None:
        with users_umask():
            output.write_bytes(to_json(made, indent=2) if json else to_markdown(made).encode())
        notice(f"The model card of {manifest.version} is {output}.")
    elif json:
        print_json(made)
    else:
        print("\n".join(map(printable, to_markdown(made).splitlines())))
