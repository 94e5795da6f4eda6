"""`models explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from readfirst.cli.console import err, notice
from readfirst.cli.models.options import loaded
from readfirst.errors import Misconfigured, Refused
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.ensemble import NetworkEnsemble
    from models.preprocessing import Array8


def explain(
    film: Annotated[
        str,
        typer.Argument(
            help="A file; or an image that came in, by its number, its sha256 or the first 12 "
            "digits of it."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(),
    ensemble: Annotated[
        str | None, typer.Option(help="Version, folder, or VERSION:MEMBER. Default: the shipped.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Changed films that LIME asks about; 0 leaves LIME out.")
    ] = 300,
    strongest: Annotated[int, typer.Option(min=1, help="Superpixels that are outlined.")] = 5,
) -> None:
    """Paint over a film what the ensemble looked at: Grad-CAM, and LIME's superpixels.

    The heat is relative to the film: a normal film has a hottest place too. It shows where the
    networks looked, not that they were right.
    """
    from PIL import Image

    from ingest.sandbox import Reader
    from models.explaining.gradcam import ensemble_heat_map
    from models.explaining.overlay import painted
    from models.preprocessing import LEAST_SIDE, standardise

    settings = load_settings()
    path = file_of(film, settings)
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        try:
            pixels = reader.film(path, LEAST_SIDE)
        except Refused as refusal:
            notice(f"[red]{refusal.reason}[/red]")
            raise typer.Exit(1) from refusal
    image = standardise(pixels)
    with err.status("Asking the networks …"):
        networks, _ = loaded(ensemble)
        (score,) = networks.scores(image[None])
        heat = ensemble_heat_map(networks.manifest.members, networks.networks, image)
    if not networks.is_chest(image[None])[0]:
        notice("[yellow]The pixel check takes this for something else than a chest film.[/yellow]")
    output.mkdir(parents=True, exist_ok=True)
    pictures = {"gradcam": painted(pixels, heat)}
    if samples:
        pictures["lime"] = _lime(networks, pixels, image, samples, strongest)
    for name, picture in pictures.items():
        written = output / f"{path.stem}.{name}.png"
        Image.fromarray(picture).save(written)
        notice(f"{written}")
    notice(
        f"Probability {score.probability:.3f}, threshold {networks.threshold:.3f}, "
        f"spread {score.spread:.3f}."
    )


def file_of(film: str, settings: Settings) -> Path:
    """The file that is meant. Raises Misconfigured."""
    from ingest.store import Store
    from readfirst.cli.refused import found_image
    from readfirst.cli.worklist import opened

    if Path(film).is_file():
        return Path(film)
    if not film.isalnum():
        raise Misconfigured(f"There is no file {film}.")
    with opened(settings) as database:
        found = found_image(database, film)
    store = Store(settings.store_path)
    if not store.has(found.sha256):
        raise Misconfigured(f"The original of {found.sha256[:12]} is not in the store any more.")
    return store.path(found.sha256)


def _lime(
    ensemble: NetworkEnsemble, film: Array8, image: Array8, samples: int, strongest: int
) -> Array8:
    import numpy as np
    from rich.progress import Progress

    from models.explaining.lime import explain as lime
    from models.explaining.overlay import outlined

    def predict(images: Array8) -> np.ndarray:
        return np.array([score.probability for score in ensemble.scores(images)])

    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("LIME", total=samples)
        found = lime(
            predict,
            image,
            samples=samples,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    return outlined(film, found.segments, found.weights, strongest)
