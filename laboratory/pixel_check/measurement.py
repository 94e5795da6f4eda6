"""Measurement of the pixel check: what it refuses of chest films, and of all else."""

import math
from collections.abc import Callable

import numpy as np

from laboratory.data.dataset import Subset
from laboratory.negative_images import KINDS, NEVER_TRAINED, draw
from laboratory.negative_images.changed_films import CHANGES, change
from laboratory.pixel_check.real_images import RealImages
from laboratory.pixel_check.training_images import CHANGED, some_of
from models.manifest import Estimate
from models.preprocessing import Array8
from readfirst.statistics.shares import wilson_interval

#: Model-ready images, (n, 224, 224), to probabilities that they are chest films, (n,).
ProbabilityOf = Callable[[Array8], np.ndarray]


def caught(
    probability_of: ProbabilityOf, threshold: float, films: Array8, count: int, seed: int
) -> dict[str, float]:
    """Measure the share refused of each kind, drawn anew, and of films under each change."""
    few = some_of(films, CHANGED[Subset.HELD_OUT], np.random.default_rng(seed))
    shares = {
        name: float(np.mean(probability_of(change(few, name, seed)) < threshold))
        for name in CHANGES
    }
    for kind in KINDS:
        name = f"{kind} (never trained)" if kind in NEVER_TRAINED else kind
        shares[name] = float(np.mean(probability_of(draw(kind, count, seed)) < threshold))
    return shares


def real_caught(
    probability_of: ProbabilityOf, threshold: float, real: RealImages
) -> dict[str, float]:
    """Measure the share refused of the real images that are no chest films, by label."""
    return {
        f"{label.removeprefix('not_radiograph_')} (real)": float(
            np.mean(probability_of(images) < threshold)
        )
        for label, images in real.others.items()
    }


def refused_by_source(
    probability_of: ProbabilityOf, threshold: float, real: RealImages
) -> dict[str, Estimate]:
    """Measure the share refused of the real chest films of each source."""
    return {
        source: refused_share(probability_of(films) < threshold, real.patients[source])
        for source, films in real.chests.items()
    }


def refused_share(refused: np.ndarray, patients: np.ndarray | None = None) -> Estimate:
    """Return the share of films that are refused, (n,) bool, with its 95 % interval.

    patients: of whom they are, (n,). Films of the same patient are alike: the interval is as wide
    as if each patient had one film.
    """
    value = float(np.mean(refused))
    cases = len(refused) if patients is None else len(np.unique(patients))
    low, high = wilson_interval(math.ceil(value * cases), cases)
    return Estimate(value=value, low=min(low, value), high=high)
