"""`models generate`."""

from __future__ import annotations

import json as encoder
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import notice, print_json, print_table
from cli.models.films import load_labelled, read_films
from cli.models.options import Changes, Data, ImageNet, Json, Labels, Seed
from cli.models.trainings import output_folder, recipe_with, training_progress

if TYPE_CHECKING:
    from laboratory.training.progress import ReportProgress
    from models.preprocessing import Array8

Epochs = Annotated[int, typer.Option(min=1, max=100_000, help="Of the DCGAN.")]
Count = Annotated[int, typer.Option(min=1, max=1_000_000, help="Films to invent.")]
Retrain = Annotated[
    str | None,
    typer.Option(help="Recipe to train with and without them, as the capstone study did."),
]
Output = Annotated[
    Path | None, typer.Option(help="Folder. Default: `generated` in the home folder.")
]


def generate(
    *,
    data: Data,
    labels: Labels = None,
    epochs: Epochs = 40,
    count: Count = 2500,
    retrain: Retrain = None,
    changes: Changes = None,
    imagenet: ImageNet = None,
    output: Output = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Invent normal films by a DCGAN (capstone-dcgan), and see whether training gains by them.

    Writes `generator.safetensors`, a sheet of samples, the losses, and with --retrain the figures
    on the held-out patients of three trainings: the films alone, with the invented ones, and with
    the smaller class repeated instead.
    """
    from laboratory.data.dataset import Subset, split
    from laboratory.gan.retraining import retraining
    from laboratory.training.train_member import InitialWeights

    folder = output_folder(output, "generated")
    parts = split(read_films(data, labels), seed)
    train, tune, test = (
        load_labelled(parts[subset]) for subset in (Subset.TRAIN, Subset.TUNE, Subset.HELD_OUT)
    )
    with training_progress() as progress:
        normal = train.images[train.labels == 0]
        invented = _invent(normal, count, epochs, seed, folder, progress)
        if retrain is None:
            return
        results = retraining(
            recipe_with(retrain, changes),
            train,
            tune,
            test,
            invented,
            folder,
            seed=seed,
            start=InitialWeights(imagenet=imagenet),
            report=progress(retrain),
        )
    (folder / "retraining.json").write_text(encoder.dumps(results, indent=1) + "\n")
    if json:
        print_json(results)
    else:
        _print_results(retrain, results)


def _invent(
    films: Array8,
    count: int,
    epochs: int,
    seed: int,
    folder: Path,
    progress: Callable[[str], ReportProgress],
) -> Array8:
    """Train the DCGAN on the films, invent some, and write all but them into the folder."""
    import numpy as np
    from PIL import Image

    from laboratory.gan.train_gan import NAME, sheet, train_gan
    from laboratory.gan.train_gan import generate as invent
    from models.weights import save_weights

    gan = train_gan(films, epochs=epochs, batch_size=32, seed=seed, report=progress(NAME))
    invented = invent(gan.generator, count, seed)
    save_weights(gan.generator, folder / "generator.safetensors")
    Image.fromarray(sheet(invented[:64], 8)).save(folder / "samples.png")
    real = np.stack([np.asarray(Image.fromarray(film).resize((64, 64))) for film in films])
    Image.fromarray(sheet(real[:64], 8)).save(folder / "films.png")
    losses = [[loss.discriminator, loss.generator] for loss in gan.losses]
    (folder / "losses.json").write_text(encoder.dumps(losses) + "\n")
    notice(f"{count} films invented from {len(films)}; {folder / 'samples.png'} shows some.")
    return invented


def _print_results(recipe: str, results: Mapping[str, Mapping[str, float]]) -> None:
    columns = list(next(iter(results.values())))
    print_table(
        f"{recipe} on the held-out patients, flagged at 0.5",
        ("Trained on", *columns),
        [
            (
                arm,
                *(f"{figures[c]:.0f}" if figures[c] > 1 else f"{figures[c]:.3f}" for c in columns),
            )
            for arm, figures in results.items()
        ],
    )
