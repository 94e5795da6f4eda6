"""Where probabilities are anchored and the line is drawn: calibration and threshold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.acquisitions import ACQUISITIONS, acquired
from models.combining import Probabilities, calibrate, calibrated, robust_threshold, sigmoid
from models.dataset import Film, labels_of, load_images
from models.evaluation import PREVALENCE
from models.manifest import Acquisition, Calibration, OperatingPoint
from models.preprocessing import Array8

METHOD = (
    "the threshold whose cost at a prevalence of 20 % (missed pneumonias, weighed, and false "
    "alarms) is least under the worst of the simulated acquisitions of the tuning patients' films; "
    "these patients are apart from those of training and from those of the metrics"
)
#: How many false alarms one missed pneumonia weighs.
MISS_COST = 2.0
#: Films of each class from which the threshold is chosen.
CHOICE_FILMS = 200


@dataclass(frozen=True, slots=True)
class Operation:
    """What the tuning patients decide."""

    calibration: Calibration
    #: Share of pneumonia among their films, which the calibrated probabilities presuppose.
    prevalence: float
    threshold: float
    point: OperatingPoint


def fit_operation(
    logits: Callable[[Array8], Probabilities],
    films: Sequence[Film],
    miss_cost: float,
    seed: int,
) -> Operation:
    """Calibration and threshold, both over every simulated acquisition of these films.

    logits: from model-ready images, (n, 224, 224) uint8, to uncalibrated logits, (n,).
    """
    prevalence = float(labels_of(films).mean())
    chosen = _some_of_each_class(films, seed)
    labels, images = labels_of(chosen), load_images(chosen)
    said = {name: logits(acquired(images, name)) for name in ACQUISITIONS}
    calibration = calibrate(
        np.concatenate(list(said.values())), np.tile(labels, len(said)), prevalence
    )
    probabilities = {
        name: sigmoid(calibrated(values, calibration)) for name, values in said.items()
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
            name: Acquisition(
                sensitivity=float(np.mean(p[labels == 1] >= threshold)),
                specificity=float(np.mean(p[labels == 0] < threshold)),
            )
            for name, p in probabilities.items()
        },
    )
    return Operation(calibration, prevalence, threshold, point)


def _some_of_each_class(films: Sequence[Film], seed: int) -> list[Film]:
    generator = np.random.default_rng(seed)
    labels = labels_of(films)
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:CHOICE_FILMS] for label in (0, 1)
    ]
    return [films[i] for i in np.sort(np.concatenate(chosen))]
