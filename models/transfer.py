"""What a recipe keeps where it was not trained: from some acquisition groups to the others.

The Guangzhou set has two series of normal films and two causes of pneumonia. A network trained on
one of each is measured on the other two: films that are apart from its own not only by patient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.assembling import VIEWS, views_of
from models.combining import (
    Probabilities,
    calibrated,
    logit,
    sigmoid,
    threshold_for,
)
from models.dataset import Film, Part, labels_of, load_images, split
from models.ensemble import in_batches
from models.evaluation import calibration_error, figures
from models.operating import MISS_COST, fit_operation
from models.preprocessing import Array8, View, network_input
from models.recipes import Recipe
from models.training import LabelledImages, Report, Start, silent, train_member
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

#: Groups trained on, and groups measured on.
DIRECTIONS = (
    (("normal-1", "bacterial"), ("normal-2", "viral")),
    (("normal-2", "viral"), ("normal-1", "bacterial")),
)
#: The share of sick tuning films that a threshold by quantile flags, for comparison.
QUANTILE = 0.96
PREVALENCE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One direction: what was trained on, and the figures on the groups that were not."""

    trained_on: tuple[str, ...]
    measured_on: tuple[str, ...]
    films: int
    auc: float
    auc_without_views: float
    ece: float
    #: Sensitivity and specificity at the threshold that holds under simulated acquisitions …
    robust: tuple[float, float]
    #: … and at the one that flags 96 % of the sick tuning films.
    by_quantile: tuple[float, float]


def transfer(
    recipe: Recipe,
    films: Sequence[Film],
    folder: Path,
    *,
    seed: int,
    start: Start = Start(),  # noqa: B008
    views: tuple[View, ...] = VIEWS,
    report: Callable[[str], Report] = lambda _: silent,
) -> list[Transfer]:
    """Train a recipe on one half of the groups and measure it on the other, both ways.

    Raises Misconfigured if the films do not come in these groups.
    """
    results = []
    for trained, measured in DIRECTIONS:
        own, others = _of_groups(films, trained), _of_groups(films, measured)
        patients = {film.patient for film in own}
        others = [film for film in others if film.patient not in patients]
        if {film.group for film in own} != set(trained) or len({f.label for f in others}) != 2:
            raise Misconfigured("These films are not in the four groups of the Guangzhou set.")
        parts = split(own, seed)
        fit = parts[Part.TRAIN] + parts[Part.HELD_OUT]
        network = train_member(
            recipe,
            LabelledImages(load_images(fit), labels_of(fit)),
            LabelledImages(load_images(parts[Part.TUNE]), labels_of(parts[Part.TUNE])),
            folder,
            seed=seed,
            start=start,
            report=report(f"{recipe.name} on {' and '.join(trained)}"),
        )
        results.append(
            _measured(
                network,
                recipe,
                parts[Part.TUNE],
                others,
                views_of(recipe, views),
                seed,
                trained,
                measured,
            )
        )
    return results


def _measured(
    network: "keras.Model",
    recipe: Recipe,
    tune: Sequence[Film],
    others: Sequence[Film],
    views: tuple[View, ...],
    seed: int,
    trained: tuple[str, ...],
    measured: tuple[str, ...],
) -> Transfer:
    def logits(images: Array8, seen: tuple[View, ...] = views) -> Probabilities:
        said = [
            logit(in_batches(network, network_input(images, recipe.input_size, view)))
            for view in seen
        ]
        return np.asarray(np.mean(said, axis=0))

    operation = fit_operation(logits, tune, MISS_COST, seed)
    of_tune = sigmoid(calibrated(logits(load_images(tune)), operation.calibration))
    simple = threshold_for(of_tune, labels_of(tune), QUANTILE)
    labels, images = labels_of(others), load_images(others)
    said = sigmoid(calibrated(logits(images), operation.calibration))
    at_robust = figures(labels, said, operation.threshold, PREVALENCE)
    at_simple = figures(labels, said, simple, PREVALENCE)
    plain = figures(labels, sigmoid(logits(images, views[:1])), 0.5, PREVALENCE)
    return Transfer(
        trained_on=trained,
        measured_on=measured,
        films=len(others),
        auc=at_robust["auc"],
        auc_without_views=plain["auc"],
        ece=calibration_error(labels, said),
        robust=(at_robust["sensitivity"], at_robust["specificity"]),
        by_quantile=(at_simple["sensitivity"], at_simple["specificity"]),
    )


def _of_groups(films: Sequence[Film], groups: Sequence[str]) -> list[Film]:
    return [film for film in films if film.group in groups]
