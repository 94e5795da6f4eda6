"""`models explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import err, notice
from cli.models.ensembles import load_by_name
from readfirst.errors import Misconfigured, Refused
from readfirst.files.private_files import users_umask
from readfirst.formatting import readable_probability
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.ensemble import NetworkEnsemble
    from models.preprocessing import Array8

FilmName = Annotated[
    str,
    typer.Argument(
        help="A file; or an image that came in, by its number, its sha256 or the first 12 "
        "digits of it."
    ),
]
EnsembleName = Annotated[
    str | None, typer.Option(help="Version, folder, or VERSION:MEMBER. Default: the shipped.")
]
Samples = Annotated[
    int,
    typer.Option(min=0, max=100_000, help="Changed films that LIME asks about; 0 leaves LIME out."),
]


def explain(
    film: FilmName,
    output: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(),
    ensemble: EnsembleName = None,
    samples: Samples = 300,
    strongest: Annotated[
        int, typer.Option(min=1, max=1000, help="Superpixels that are outlined.")
    ] = 5,
) -> None:
    """Paint over a film what the ensemble looked at: Grad-CAM, and LIME's superpixels.

    The heat is relative to the film: a normal film has a hottest place too. It shows where the
    networks looked, not that they were right.
    """
    from PIL import Image

    from models.explaining.gradcam import ensemble_heat_map
    from models.explaining.overlay import painted
    from models.preprocessing import standardise

    settings = load_settings()
    path = file_of(film, settings)
    pixels = _read(path, settings)
    image = standardise(pixels)
    with err.status("Asking the networks …"):
        networks, _ = load_by_name(ensemble)
        (score,) = networks.scores(image[None])
        heat = ensemble_heat_map(networks.manifest.members, networks.networks, image)
    if not networks.is_chest(image[None])[0]:
        notice("The pixel check takes this for something else than a chest film.", "yellow")
    with users_umask():
        output.mkdir(parents=True, exist_ok=True)
    pictures = {"gradcam": painted(pixels, heat)}
    if samples:
        pictures["lime"] = _lime(networks, pixels, image, samples, strongest)
    for name, picture in pictures.items():
        written = output / f"{path.stem}.{name}.png"
        with users_umask():
            Image.fromarray(picture).save(written)
        notice(f"{written}")
    notice(
        f"Probability {readable_probability(score.probability)}, "
        f"threshold {readable_probability(networks.threshold)}, "
        f"spread {100 * score.spread:.1f} points."
    )


def _read(path: Path, settings: Settings) -> Array8:
    """Read a film as the worker does. Ends the command if it is refused."""
    from ingest.reader.reader_process import Reader
    from models.preprocessing import LEAST_SIDE

    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        try:
            return reader.film(path, LEAST_SIDE)
        except Refused as refusal:
            notice(f"{refusal.reason}", "red")
            raise typer.Exit(1) from refusal


def file_of(film: str, settings: Settings) -> Path:
    """Find the file that is meant. Raises Misconfigured."""
    from cli.common.database import find_image, opened
    from ingest.inbox.store import Store

    if Path(film).is_file():
        return Path(film)
    if not film.isalnum():
        raise Misconfigured(f"There is no file {film}.")
    with opened(settings) as database:
        image = find_image(database, film)
    store = Store(settings.store_path)
    if not store.has(image.sha256):
        raise Misconfigured(f"The original of {image.sha256[:12]} is not in the store any more.")
    return store.path(image.sha256)


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
        explanation = lime(
            predict,
            image,
            samples=samples,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    return outlined(film, explanation.segments, explanation.weights, strongest)
