"""What the commands of the laboratory share: options, films, ensembles, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    track,
)

from models.manifest import (
    Estimate,
    Manifest,
    Metrics,
    available_ensembles,
    load_manifest,
    shipped_version,
)
from readfirst.cli.console import err, notice, print_table
from readfirst.errors import Misconfigured, Refused
from readfirst.settings import load_settings

if TYPE_CHECKING:
    from models.dataset import Film
    from models.ensemble import NetworkEnsemble
    from models.training import Report

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
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Seed = Annotated[int, typer.Option(help="Decides which patients are trained on.")]
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


def films_of(data: Path, labels: Path | None) -> list[Film]:
    """The labelled films of a folder, by its layout or by a CSV. Raises Misconfigured."""
    from models.dataset import read_folder, read_labels

    with err.status("Reading the films …"):
        films = read_labels(labels, data) if labels else read_folder(data)
    foreign = [film for film in films if film.path.suffix.lower() not in (".jpeg", ".jpg", ".png")]
    return decoded(films) if foreign else films


def found(name: str | None) -> Path:
    """The folder of an ensemble, by version or path; None is the newest shipped one."""
    if name is not None and Path(name).is_dir():
        return Path(name)
    version = name or shipped_version()
    available = available_ensembles(load_settings().ensembles_path)
    if version not in available:
        raise Misconfigured(f"There is no ensemble {version}; see `readfirst models list`.")
    return available[version]


def loaded(name: str | None) -> tuple[NetworkEnsemble, Path]:
    """An ensemble, or one member of it as `VERSION:MEMBER`, and its folder."""
    from models.ensemble import load_ensemble

    whole, _, member = (name or "").partition(":")
    folder = found(whole or None)
    ensemble = load_ensemble(folder, "float32")
    if not member:
        return ensemble, folder
    for part, network in zip(ensemble.manifest.members, ensemble.networks, strict=True):
        if part.name == member:
            alone = part.model_copy(update={"weight": 1.0})
            manifest = ensemble.manifest.model_copy(update={"members": (alone,)})
            return replace(ensemble, manifest=manifest, networks=[network]), folder
    raise Misconfigured(f"Ensemble {ensemble.version} has no member {member}.")


@contextmanager
def training_progress() -> Iterator[Callable[[str], Report]]:
    """A bar on stderr for each training, by its name, with its figures."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[figures]}"), console=err) as progress:

        def bar(name: str) -> Report:
            task = progress.add_task(name, total=None, figures="")

            def report(done: int, total: int, figures: dict[str, float]) -> None:
                shown = "  ".join(f"{name} {float(value):.4f}" for name, value in figures.items())
                progress.update(task, completed=done, total=total, figures=shown)

            return report

        yield bar


def print_metrics(manifest: Manifest, metrics: Metrics, films: str) -> None:
    """Every figure with its interval, as a table."""
    print_table(
        f"{manifest.version} on {films}: {metrics.images} images ({metrics.pneumonia} pneumonia) "
        f"of {metrics.patients} patients, threshold {manifest.threshold:.3f}",
        ("Figure", "Value", "95 % interval"),
        [
            (name, f"{figure.value:.3f}", f"{figure.low:.3f} – {figure.high:.3f}")
            for name, figure in named(metrics).items()
            if figure is not None
        ],
    )


def named(metrics: Metrics) -> dict[str, Estimate | None]:
    """The figures by the names that people read."""
    return {
        "AUC": metrics.auc,
        "Sensitivity": metrics.sensitivity,
        "Specificity": metrics.specificity,
        "Accuracy": metrics.accuracy,
        "F1": metrics.f1,
        f"PPV at prevalence {metrics.prevalence:g}": metrics.ppv,
        f"NPV at prevalence {metrics.prevalence:g}": metrics.npv,
        "ECE": metrics.ece,
    }


def short(estimate: Estimate) -> str:
    """A figure and its interval in a cell."""
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"


def settings_of(changes: list[str] | None) -> dict[str, str]:
    """`FIELD=VALUE` by field. Raises Misconfigured."""
    pairs = [change.partition("=") for change in changes or ()]
    if any(not sign for _, sign, _ in pairs):
        raise Misconfigured("--set wants FIELD=VALUE.")
    return {field: value for field, _, value in pairs}


def manifest_of(name: str) -> Manifest:
    """The manifest of an ensemble, by version or path."""
    return load_manifest(found(name))


def decoded(films: list[Film]) -> list[Film]:
    """The films as model-ready PNGs, read the way the worker reads them; refused ones are named."""
    import numpy as np
    from PIL import Image

    from ingest.sandbox import Reader
    from models.preprocessing import LEAST_SIDE, standardise
    from models.weights import file_sha256

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
