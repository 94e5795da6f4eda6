"""From trained members to an ensemble: combine, calibrate, set the threshold, measure, write."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.combining import calibrate, combine, logit, threshold_for
from models.dataset import Film, Part, labels_of, load_images
from models.ensemble import NetworkEnsemble, member_probabilities
from models.evaluation import PREVALENCE, evaluate
from models.manifest import (
    MANIFEST_FILE,
    Calibration,
    Manifest,
    Member,
    Metrics,
    OperatingPoint,
)
from models.members import load_member, weights_path
from models.preprocessing import PREPROCESSING_VERSION
from models.recipes import Recipe
from models.weights import file_sha256
from readfirst import DISCLAIMER

if TYPE_CHECKING:
    import keras

METHOD = (
    "the highest threshold at which this share of the tuning patients' sick films is flagged; "
    "these patients are apart from those of training and from those of the metrics"
)
POPULATION = (
    "Children of one to five years from one hospital in Guangzhou, frontal films (AP). "
    "No adults, no lateral views."
)
SOURCE = (
    "Kermany, Zhang, Goldbaum: Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images "
    "for Classification, Mendeley Data, doi 10.17632/rscbjbr9sj, training split, CC BY 4.0. "
    "VGG16 starts from the ImageNet weights of Simonyan and Zisserman 2014, CC BY 4.0."
)


def assemble(
    recipes: Sequence[Recipe],
    parts: dict[Part, list[Film]],
    folder: Path,
    *,
    version: str,
    seed: int,
    stated_sensitivity: float,
) -> Manifest:
    """Make an ensemble of the members in a folder, and write its manifest there.

    Calibration and threshold come from the tuning patients, the metrics from the held-out ones.
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
        )
        for recipe, network in zip(recipes, networks, strict=True)
    )
    calibration, threshold = _tune(members, networks, parts[Part.TUNE], stated_sensitivity)
    ensemble = NetworkEnsemble(version, threshold, calibration, members, networks)
    manifest = Manifest(
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        preprocessing_version=PREPROCESSING_VERSION,
        members=members,
        calibration=calibration,
        threshold=threshold,
        operating_point=_operating_point(parts[Part.TUNE], stated_sensitivity),
        metrics=measure(ensemble, parts[Part.HELD_OUT]),
        training=_training(parts, seed),
        population=POPULATION,
        source=SOURCE,
        licence="CC BY 4.0",
        disclaimer=DISCLAIMER,
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n")
    return manifest


def measure(
    ensemble: NetworkEnsemble, films: Sequence[Film], prevalence: float = PREVALENCE
) -> Metrics:
    """Evaluate an ensemble at its threshold on labelled films."""
    scores = ensemble.predict(load_images(films))
    probabilities = np.array([score.probability for score in scores])
    patients = np.array([film.patient for film in films])
    labels = labels_of(films)
    return evaluate(labels, probabilities, patients, ensemble.threshold, prevalence=prevalence)


def _tune(
    members: Sequence[Member],
    networks: Sequence["keras.Model"],
    films: Sequence[Film],
    sensitivity: float,
) -> tuple[Calibration, float]:
    """Calibration and threshold from these films."""
    labels = labels_of(films)
    said = list(member_probabilities(members, networks, load_images(films)).values())
    weights = [member.weight for member in members]
    calibration = calibrate(np.average(logit(said), axis=0, weights=weights), labels)
    probabilities = combine(said, weights, calibration)
    return calibration, threshold_for(probabilities, labels, sensitivity)


def _operating_point(films: Sequence[Film], stated_sensitivity: float) -> OperatingPoint:
    return OperatingPoint(
        stated_sensitivity=stated_sensitivity,
        method=METHOD,
        images=len(films),
        patients=_patients(films),
    )


def _training(parts: dict[Part, list[Film]], seed: int) -> str:
    sizes = ", ".join(
        f"{part.value} {len(films)} images of {_patients(films)} patients"
        for part, films in parts.items()
    )
    return f"Split by patient with seed {seed}: {sizes}."


def _patients(films: Sequence[Film]) -> int:
    return len({film.patient for film in films})
