"""`models fit-unlike`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import notice, print_json, print_table
from cli.models.ensembles import find_folder, is_known_here
from cli.models.films import read_films
from cli.models.options import Data, Json, Labels, Seed
from cli.models.trainings import training_progress
from models.ensemble_files import file_names
from models.manifest import MANIFEST_FILE, Manifest, is_shipped, load_manifest, write_manifest
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings

if TYPE_CHECKING:
    from laboratory.unlike.gather_features import ReadLayer
    from models.unlike.manifest_part import MarkedShare, UnlikeFigures


def fit_unlike(
    model: Annotated[str, typer.Argument(help="Ensemble by folder or version.")],
    *,
    data: Data,
    labels: Labels = None,
    elsewhere: Annotated[
        Path,
        typer.Option(
            exists=True, file_okay=False, help="Films of other people, with a table films.csv."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="New folder for a copy of the ensemble. Default: its own folder."),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the copy. Default: that of the ensemble.")
    ] = None,
    member: Annotated[
        str | None,
        typer.Option(help="Member whose features are read. Default: the first EfficientNet."),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer of the member. Default: that of its network.")
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Fit the check that marks films unlike those that the ensemble was validated on.

    It is fitted on the training films against adults' films from elsewhere, its threshold is set
    on the tuning patients' films, and it is measured on the others of both. Nothing is trained:
    it reads what a member computes anyway. Say the seed of the ensemble's training. Files of an
    ensemble that comes with ReadFirst or was added here never change; give --output for those.
    """
    from laboratory.data.dataset import split
    from laboratory.data.elsewhere import read_elsewhere
    from laboratory.unlike.fit_unlike import fit_unlike, write_unlike
    from laboratory.unlike.gather_features import gather, reader_of
    from models.ensemble import load_ensemble

    source = find_folder(model)
    if output is None:
        _check_free(source, version)
    elif (output / MANIFEST_FILE).exists():
        raise Misconfigured(f"An ensemble lies in {output} already.")
    parts, others = split(read_films(data, labels), seed), read_elsewhere(elsewhere)
    ensemble = load_ensemble(source)
    read = _layer(ensemble.manifest, member, layer)
    with training_progress() as progress:
        features = reader_of(ensemble, read)
        gathered = gather(ensemble, features, parts, others, seed=seed, report=progress)
    contrast, threshold, figures = fit_unlike(gathered)
    folder = _copied(source, output, version) if output is not None else source
    manifest = write_unlike(folder, read, contrast, threshold, figures)
    if json:
        print_json(manifest.unlike)
    else:
        _print_figures(manifest.version, figures)
    notice(f"The check lies in {folder}. `readfirst models add` brings the ensemble in.")


def _check_free(folder: Path, version: str | None) -> None:
    """Raise Misconfigured if the folder's files must stay what they are."""
    if version is not None:
        raise Misconfigured("--version is for the copy that --output makes.")
    if is_shipped(folder):
        raise Misconfigured(
            "An ensemble that comes with ReadFirst never changes. "
            "Give --output FOLDER and a --version for a copy."
        )
    settings = load_settings()
    if not folder.resolve().is_relative_to(settings.ensembles_path.resolve()):
        return
    known = load_manifest(folder).version
    if is_known_here(known, settings):
        raise Misconfigured(
            f"Ensemble {known} was added here, and never changes any more. "
            "Give --output FOLDER and a --version for a copy."
        )


def _layer(manifest: Manifest, member: str | None, layer: str | None) -> ReadLayer:
    """The layer that is read: as named, or the one that is known for a member's network."""
    from laboratory.unlike.fit_unlike import LAYERS
    from laboratory.unlike.gather_features import ReadLayer

    for part in manifest.members:
        if member not in (None, part.name):
            continue
        if layer is not None and member is not None:
            return ReadLayer(member=member, layer=layer, cells=2)
        if part.network in LAYERS:
            name, cells = LAYERS[part.network]
            return ReadLayer(member=part.name, layer=layer or name, cells=cells)
    raise Misconfigured(
        "No layer is known for "
        + (f"a member {member}" if member else "these networks")
        + f"; name --member ({', '.join(part.name for part in manifest.members)}) and --layer."
    )


def _copied(source: Path, folder: Path, version: str | None) -> Path:
    """Copy an ensemble under a version of its own into a new folder."""
    from laboratory.assembly.make_reference import write_reference
    from models.reference import load_reference

    manifest = load_manifest(source)
    folder.mkdir(parents=True, exist_ok=True)
    for name in file_names(manifest)[1:]:
        shutil.copyfile(source / name, folder / name)
    changed = manifest.model_copy(update={"version": version or manifest.version})
    write_manifest(folder, changed)
    reference = load_reference(source, manifest)
    if reference is not None:
        write_reference(folder, replace(reference, ensemble_version=changed.version))
    return folder


def _print_figures(version: str, figures: UnlikeFigures) -> None:
    rows = {
        "Held-out films": figures.acquisitions,
        "Held-out films, by group": figures.groups,
        "Films from elsewhere": figures.elsewhere,
        "Fitted without this hospital": figures.unseen,
        "Fitted without this group": figures.unseen_groups,
    }
    print_table(
        f"{version}: films marked as unlike those of the validation",
        ("Films", "Kind", "Number", "Marked", "95 % interval"),
        [
            (films, name, str(share.films), *_cells(share))
            for films, shares in rows.items()
            for name, share in shares.items()
        ],
    )


def _cells(share: MarkedShare) -> tuple[str, str]:
    return f"{share.marked / share.films:.1%}", f"{share.low:.1%} – {share.high:.1%}"
