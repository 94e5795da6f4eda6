"""Calibration and threshold, both chosen from the tuning patients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from laboratory.data.acquisition_shift import ACQUISITIONS, acquired
from laboratory.data.dataset import LabelledFilm, labels_of, load_images
from laboratory.evaluation.metrics import PREVALENCE
from models.combining import Probabilities, calibrated, logit, sigmoid
from models.manifest import AcquisitionResult, OperatingPoint, PlattScaling
from models.preprocessing import Array8

METHOD = (
    "the threshold whose cost at a prevalence of 20 % (missed pneumonias, weighed, and false "
    "alarms) is least under the worst of the simulated acquisitions of the tuning patients' films; "
    "these patients are apart from those of training and from those of the metrics"
)
#: Share of pneumonia that the calibrated probabilities presuppose: both classes alike, since
#: nobody knows the share at a site, and those that films were collected in say nothing of it.
PRESUPPOSED = 0.5
#: Strength with which a steep slope is kept from running away where classes lie apart.
RIDGE = 1e-4
#: False alarms that one missed pneumonia weighs.
MISS_COST = 2.0
#: Films of each class from which the threshold is chosen.
CHOICE_FILMS = 200


@dataclass(frozen=True, slots=True)
class SelectedThreshold:
    """Calibration and threshold, from the tuning patients."""

    calibration: PlattScaling
    #: Share of pneumonia that the calibrated probabilities presuppose.
    prevalence: float
    threshold: float
    point: OperatingPoint


def select_threshold(
    logits: Callable[[Array8], Probabilities],
    films: Sequence[LabelledFilm],
    miss_cost: float,
    seed: int,
) -> SelectedThreshold:
    """Calibrate, and choose the threshold, over every simulated acquisition of these films.

    logits: from model-ready images, (n, 224, 224) uint8, to uncalibrated logits, (n,).
    """
    chosen = _some_of_each_class(films, seed)
    labels, images = labels_of(chosen), load_images(chosen)
    by_acquisition = {name: logits(acquired(images, name)) for name in ACQUISITIONS}
    calibration = calibrate_for_the_worst(by_acquisition, labels, PRESUPPOSED)
    probabilities = {
        name: sigmoid(calibrated(values, calibration)) for name, values in by_acquisition.items()
    }
    # So many sick films come with each normal one on a worklist, whatever the share among these.
    odds = PREVALENCE / (1 - PREVALENCE)
    threshold = robust_threshold(probabilities, labels, odds * miss_cost)
    point = OperatingPoint(
        method=METHOD,
        miss_cost=miss_cost,
        images=len(chosen),
        patients=len({film.patient for film in chosen}),
        acquisitions={
            name: AcquisitionResult(
                sensitivity=float(np.mean(p[labels == 1] >= threshold)),
                specificity=float(np.mean(p[labels == 0] < threshold)),
            )
            for name, p in probabilities.items()
        },
    )
    return SelectedThreshold(calibration, PRESUPPOSED, threshold, point)


def calibrate(
    logits: Probabilities, labels: np.ndarray, prevalence: float | None = None
) -> PlattScaling:
    """Fit Platt's scaling (Platt 1999) by maximum likelihood; regularised so little that it only
    keeps separable data from running away. logits, labels: (n,). prevalence: share of pneumonia
    that the films stand for; they are weighed to have it. None leaves them as they are.
    """
    from sklearn.linear_model import LogisticRegression

    wanted = float(labels.mean()) if prevalence is None else prevalence
    weights = _weights(labels, wanted)
    fitted = LogisticRegression(C=10.0).fit(logits[:, np.newaxis], labels, weights)
    return PlattScaling(slope=float(fitted.coef_[0, 0]), intercept=float(fitted.intercept_[0]))


def calibrate_for_the_worst(
    by_acquisition: Mapping[str, Probabilities], labels: np.ndarray, prevalence: float
) -> PlattScaling:
    """Fit Platt's scaling so that the log loss is least under the acquisition where it is worst.

    by_acquisition: logits, (n,) of the same films. labels: (n,), 1 is pneumonia, both classes
    there. prevalence: the share of pneumonia that the probabilities presuppose. The mean over all
    acquisitions would let nine tenths of easy films speak for the tenth under which films look
    like those of another department (Sagawa et al. 2020, distributionally robust optimisation).
    """
    from scipy.optimize import minimize

    weights = _weights(labels, prevalence)
    sign = np.where(labels == 1, -1.0, 1.0)
    logits = np.stack(list(by_acquisition.values()))

    def worst(parameters: Probabilities) -> float:
        slope, intercept = np.exp(parameters[0]), parameters[1]
        losses = np.logaddexp(0.0, sign * (slope * logits + intercept))
        return float(np.average(losses, axis=1, weights=weights).max() + RIDGE * slope**2)

    # The largest of several losses has kinks, on which a method by gradients stops.
    fitted = minimize(worst, np.zeros(2), method="Nelder-Mead", options={"maxiter": 2000})
    return PlattScaling(slope=float(np.exp(fitted.x[0])), intercept=float(fitted.x[1]))


def _weights(labels: np.ndarray, prevalence: float) -> Probabilities:
    """The weights under which this share of the films shows pneumonia. labels: (n,)."""
    present = float(labels.mean())
    return np.where(labels == 1, prevalence / present, (1 - prevalence) / (1 - present))


def robust_threshold(
    probabilities: Mapping[str, Probabilities],
    labels: np.ndarray,
    miss_cost: float,
) -> float:
    """Return the threshold whose cost is least where it is worst.

    probabilities: for each acquisition, (n,) of the same films. labels: (n,), 1 is pneumonia.
    miss_cost: how much a share of sick films missed weighs against the same share of false
    alarms. The cost of a threshold under one acquisition is miss_cost x (1 - sensitivity) +
    (1 - specificity), and the worst acquisition counts (minimax), since nobody knows which one a
    site resembles. Where many thresholds are equally good, the middle one in logits is taken.
    Raises ValueError unless both classes are there.
    """
    sick = [np.sort(logit(p[labels == 1])) for p in probabilities.values()]
    healthy = [np.sort(logit(p[labels == 0])) for p in probabilities.values()]
    if not len(sick[0]) or not len(healthy[0]):
        raise ValueError("a threshold needs films of both classes")
    values = np.unique(np.concatenate([*sick, *healthy]))
    # Between two values; a classifier that says the same of every film has one value only.
    candidates = (values[1:] + values[:-1]) / 2 if len(values) > 1 else values
    cost = np.max(
        [
            miss_cost * np.searchsorted(s, candidates) / len(s)
            + 1
            - np.searchsorted(h, candidates) / len(h)
            for s, h in zip(sick, healthy, strict=True)
        ],
        axis=0,
    )
    best = candidates[np.isclose(cost, cost.min())]
    return float(sigmoid(best[len(best) // 2]))


def threshold_for(probabilities: Probabilities, labels: np.ndarray, sensitivity: float) -> float:
    """Return the highest threshold at which this share of the sick films is flagged.

    probabilities, labels: (n,). Raises ValueError if no film is sick or the sensitivity is not
    within (0, 1].
    """
    if not 0 < sensitivity <= 1:
        raise ValueError("a sensitivity lies within (0, 1]")
    ordered = np.sort(probabilities[labels == 1])[::-1]
    if not len(ordered):
        raise ValueError("no sick film")
    return float(ordered[int(np.ceil(sensitivity * len(ordered))) - 1])


def _some_of_each_class(films: Sequence[LabelledFilm], seed: int) -> list[LabelledFilm]:
    generator = np.random.default_rng(seed)
    labels = labels_of(films)
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:CHOICE_FILMS] for label in (0, 1)
    ]
    return [films[i] for i in np.sort(np.concatenate(chosen))]
