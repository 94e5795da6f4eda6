"""Three levels to which an ensemble is fitted to a site, each with all that the one before has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from laboratory.adaptation.films import LabelledFeatures
from laboratory.adaptation.linear_layer import LinearLayer, choose_layer, without_change
from laboratory.evaluation.metrics import PREVALENCE
from laboratory.evaluation.threshold_selection import (
    MISS_COST,
    calibrate,
    robust_threshold,
    threshold_for,
)
from models.combining import calibrated, logit, sigmoid
from models.manifest import PlattScaling
from readfirst.errors import Misconfigured

Array = npt.NDArray[np.float64]


class AdaptationLevel(StrEnum):
    """Levels of an adaptation. Stored in manifests."""

    #: Other probabilities; the same films are flagged.
    CALIBRATION = "calibration"
    #: Another threshold besides.
    OPERATING_POINT = "operating_point"
    #: Other last units of the networks besides.
    LINEAR_LAYER = "linear_layer"


@dataclass(frozen=True, slots=True)
class Aim:
    """The rule by which a threshold is chosen.

    sensitivity: the highest threshold that reaches it. miss_cost: the cheapest one, where a missed
    pneumonia weighs so many false alarms, at a prevalence of 20 %. Without either, the sensitivity
    is that of the ensemble as it is.
    """

    sensitivity: float | None = None
    miss_cost: float | None = None

    @property
    def is_stated(self) -> bool:
        """True if somebody asks for a sensitivity or a cost."""
        return self.sensitivity is not None or self.miss_cost is not None

    @property
    def miss_weight(self) -> float:
        """Weight of a share of the sick that is missed against one of the healthy flagged."""
        return PREVALENCE / (1 - PREVALENCE) * (self.miss_cost or MISS_COST)

    def threshold(
        self, probabilities: Array, labels: npt.NDArray[np.int64], sensitivity_now: float
    ) -> float:
        """Choose the threshold from films of both classes, (n,) each."""
        if self.miss_cost is not None:
            return robust_threshold({"as they are": probabilities}, labels, self.miss_weight)
        return threshold_for(probabilities, labels, self.sensitivity or sensitivity_now)


@dataclass(frozen=True, slots=True)
class OperatingRule:
    """Calibration and threshold of an ensemble. threshold: a probability."""

    calibration: PlattScaling
    threshold: float

    def sensitivity(self, films: LabelledFeatures) -> float:
        """Share of the sick films that it flags, rounded down a little; one film at the least."""
        sick = calibrated(films.logits[films.labels == 1], self.calibration)
        flagged = max(int(np.sum(sick >= logit(self.threshold))), 1)
        return flagged / len(sick) - 1e-9

    def moved(self, calibration: PlattScaling) -> float:
        """The threshold that flags the same films under another calibration."""
        same = (float(logit(self.threshold)) - self.calibration.intercept) / self.calibration.slope
        return float(sigmoid(calibrated(same, calibration)))


@dataclass(frozen=True, slots=True)
class AdaptedRule:
    """An ensemble as one level fits it. threshold: a probability, as far from 0 and 1 as logits."""

    layer: LinearLayer
    threshold: float

    def probabilities(self, films: LabelledFeatures) -> Array:
        """Probabilities of films: (n,)."""
        return sigmoid(self.layer.logits(films))


def fit_levels(
    films: LabelledFeatures,
    before: OperatingRule,
    aim: Aim,
    seed: int,
    *,
    with_layer: bool,
) -> Mapping[AdaptationLevel, AdaptedRule]:
    """Fit the levels to films of both classes. with_layer: the last one as well.

    Raises Misconfigured if patients are too few, or pneumonia is the rarer the higher the scores.
    """
    scaling = calibrate(films.logits, films.labels)
    if scaling.slope <= 0:
        raise Misconfigured(
            "The higher the score, the less often these films are labelled pneumonia: no "
            "adaptation mends that. Compare the labels with the films first."
        )
    same, now = without_change(scaling, films.features.shape[1]), before.sensitivity(films)
    stated = sigmoid(calibrated(films.logits, scaling))
    levels = {
        AdaptationLevel.CALIBRATION: _rule(same, before.moved(scaling)),
        AdaptationLevel.OPERATING_POINT: AdaptedRule(
            same, aim.threshold(stated, films.labels, now)
        ),
    }
    if with_layer:
        chosen = choose_layer(films, seed)
        threshold = aim.threshold(sigmoid(chosen.held_out), films.labels, now)
        levels[AdaptationLevel.LINEAR_LAYER] = _rule(chosen.layer, threshold)
    return levels


def _rule(layer: LinearLayer, threshold: float) -> AdaptedRule:
    return AdaptedRule(layer, float(sigmoid(logit(threshold))))
