"""`models generate`."""

from __future__ import annotations

import json as encoder
from pathlib import Path
from typing import Annotated

import typer

from readfirst.cli.console import notice, print_json, print_table
from readfirst.cli.models.options import (
    Changes,
    Data,
    ImageNet,
    Json,
    Labels,
    Seed,
    films_of,
    settings_of,
    training_progress,
)
from readfirst.settings import load_settings


def generate(
    *,
    data: Data,
    labels: Labels = None,
    epochs: Annotated[int, typer.Option(min=1, help="Of the DCGAN.")] = 40,
    count: Annotated[int, typer.Option(min=1, help="Films to invent.")] = 2500,
    retrain: Annotated[
        str | None,
        typer.Option(help="Recipe to train with and without them, as the capstone study did."),
    ] = None,
    changes: Changes = None,
    imagenet: ImageNet = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder. Default: `generated` in the home folder.")
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Invent normal films by a DCGAN (capstone-dcgan), and see whether training gains by them.

    Writes `generator.safetensors`, a sheet of samples, the losses, and with --retrain the figures
    on the held-out patients of three trainings: the films alone, with the invented ones, and with
    the smaller class repeated instead.
    """
    import numpy as np
    from PIL import Image

    from models import generating
    from models.dataset import Part, labels_of, load_images, split
    from models.recipes import changed, recipe_named
    from models.training import LabelledImages, Start
    from models.weights import save_weights

    folder = output or load_settings().home_path / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    parts = split(films_of(data, labels), seed)
    data_of = {
        part: LabelledImages(load_images(films), labels_of(films)) for part, films in parts.items()
    }
    normal = data_of[Part.TRAIN].images[data_of[Part.TRAIN].labels == 0]
    with training_progress() as progress:
        gan = generating.train_gan(
            normal, epochs=epochs, batch_size=32, seed=seed, report=progress(generating.NAME)
        )
        invented = generating.generate(gan.generator, count, seed)
        save_weights(gan.generator, folder / "generator.safetensors")
        Image.fromarray(generating.sheet(invented[:64], 8)).save(folder / "samples.png")
        real = np.stack([np.asarray(Image.fromarray(film).resize((64, 64))) for film in normal])
        Image.fromarray(generating.sheet(real[:64], 8)).save(folder / "films.png")
        losses = [[loss.discriminator, loss.generator] for loss in gan.losses]
        (folder / "losses.json").write_text(encoder.dumps(losses) + "\n")
        notice(f"{count} films invented from {len(normal)}; {folder / 'samples.png'} shows some.")
        if retrain is None:
            return
        recipe = changed(recipe_named(retrain), settings_of(changes))
        results = generating.retraining(
            recipe,
            data_of[Part.TRAIN],
            data_of[Part.TUNE],
            data_of[Part.HELD_OUT],
            invented,
            folder,
            seed=seed,
            start=Start(imagenet=imagenet),
            report=progress(retrain),
        )
    (folder / "retraining.json").write_text(encoder.dumps(results, indent=1) + "\n")
    if json:
        print_json(results)
        return
    columns = list(next(iter(results.values())))
    print_table(
        f"{retrain} on the held-out patients, flagged at 0.5",
        ("Trained on", *columns),
        [
            (
                arm,
                *(f"{figures[c]:.0f}" if figures[c] > 1 else f"{figures[c]:.3f}" for c in columns),
            )
            for arm, figures in results.items()
        ],
    )
