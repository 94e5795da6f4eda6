"""Cross-group validation: train on some acquisition groups and measure on the others.

The Guangzhou set has two series of normal films and two causes of pneumonia. A network trained on
one of each is measured on the other two: films that are apart from its own not only by patient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from laboratory.data.dataset import LabelledFilm, Subset, labels_of, load_images, split
from laboratory.evaluation.metrics import PREVALENCE, figures
from laboratory.evaluation.threshold_selection import MISS_COST, select_threshold, threshold_for
from laboratory.training.batches import LabelledImages
from laboratory.training.progress import ReportProgress, silent
from laboratory.training.recipes import VIEWS, Recipe, views_of
from laboratory.training.train_member import InitialWeights, train_member
from models.combining import Probabilities, calibrated, logit, sigmoid
from models.ensemble import in_batches
from models.preprocessing import Array8, FilmView, network_input
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossGroupResult:
    """A direction: the groups trained on, and the figures on the others.

    ece: at these films' own prevalence. robust: sensitivity and specificity at the threshold that
    holds under simulated acquisitions.
    by_quantile: at the one that flags 96 % of the sick tuning films.
    """

    trained_on: tuple[str, ...]
    measured_on: tuple[str, ...]
    films: int
    auc: float
    auc_without_views: float
    ece: float
    robust: tuple[float, float]
    by_quantile: tuple[float, float]


def cross_group_validation(
    recipe: Recipe,
    films: Sequence[LabelledFilm],
    folder: Path,
    *,
    seed: int,
    start: InitialWeights | None = None,
    views: tuple[FilmView, ...] = VIEWS,
    report: Callable[[str], ReportProgress] = lambda _: silent,
) -> list[CrossGroupResult]:
    """Train a recipe on one half of the groups and measure it on the other, both ways.

    folder: gets a folder for each way, with the curves of its training.
    Raises Misconfigured if the films do not come in these groups.
    """
    results = []
    for trained, measured in DIRECTIONS:
        own, others = _apart(films, trained, measured)
        subsets = split(own, seed)
        network = train_member(
            recipe,
            _labelled_images(subsets[Subset.TRAIN] + subsets[Subset.HELD_OUT]),
            _labelled_images(subsets[Subset.TUNE]),
            # Each way its own: a state of one has seen the films that the other is measured on.
            folder / "+".join(trained),
            seed=seed,
            start=start,
            report=report(f"{recipe.name} on {' and '.join(trained)}"),
        )
        trained_network = _Network(network, recipe.input_size, views_of(recipe, views))
        tune = subsets[Subset.TUNE]
        results.append(_measure(trained_network, tune, others, seed, trained, measured))
    return results


@dataclass(frozen=True, slots=True)
class _Network:
    """A trained network, and the views in which it sees films."""

    model: "keras.Model"
    size: int
    views: tuple[FilmView, ...]

    def logits(self, images: Array8) -> Probabilities:
        return np.asarray(np.mean([self._of(images, view) for view in self.views], axis=0))

    def logits_of_first_view(self, images: Array8) -> Probabilities:
        return self._of(images, self.views[0])

    def _of(self, images: Array8, view: FilmView) -> Probabilities:
        return logit(in_batches(self.model, network_input(images, self.size, view)))


def _measure(
    network: _Network,
    tune: Sequence[LabelledFilm],
    others: Sequence[LabelledFilm],
    seed: int,
    trained_on: tuple[str, ...],
    measured_on: tuple[str, ...],
) -> CrossGroupResult:
    selected = select_threshold(network.logits, tune, MISS_COST, seed)
    of_tune = sigmoid(calibrated(network.logits(load_images(tune)), selected.calibration))
    quantile = threshold_for(of_tune, labels_of(tune), QUANTILE)
    labels, images = labels_of(others), load_images(others)
    probabilities = sigmoid(calibrated(network.logits(images), selected.calibration))
    at_robust = figures(labels, probabilities, selected.threshold, PREVALENCE, selected.prevalence)
    at_quantile = figures(labels, probabilities, quantile, PREVALENCE)
    one_view = figures(labels, sigmoid(network.logits_of_first_view(images)), 0.5, PREVALENCE)
    return CrossGroupResult(
        trained_on=trained_on,
        measured_on=measured_on,
        films=len(others),
        auc=at_robust["auc"],
        auc_without_views=one_view["auc"],
        ece=at_robust["ece_at_own_prevalence"],
        robust=(at_robust["sensitivity"], at_robust["specificity"]),
        by_quantile=(at_quantile["sensitivity"], at_quantile["specificity"]),
    )


def _apart(
    films: Sequence[LabelledFilm], trained: Sequence[str], measured: Sequence[str]
) -> tuple[list[LabelledFilm], list[LabelledFilm]]:
    """Take the films of the groups of either side, no patient on both. Raises Misconfigured."""
    own, others = _of_groups(films, trained), _of_groups(films, measured)
    patients = {film.patient for film in own}
    others = [film for film in others if film.patient not in patients]
    if {film.group for film in own} != set(trained) or len({film.label for film in others}) != 2:
        raise Misconfigured("These films are not in the four groups of the Guangzhou set.")
    return own, others


def _of_groups(films: Sequence[LabelledFilm], groups: Sequence[str]) -> list[LabelledFilm]:
    return [film for film in films if film.group in groups]


def _labelled_images(films: Sequence[LabelledFilm]) -> LabelledImages:
    return LabelledImages(load_images(films), labels_of(films))
