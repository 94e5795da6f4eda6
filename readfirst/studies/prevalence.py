"""Probabilities for a site where pneumonia is more or less common than in calibration. Pure."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def at_prevalence(probability: float, presupposed: float | None, prevalence: float | None) -> float:
    """A probability, or a threshold, for a site where this share of the films shows pneumonia.

    By Bayes (Saerens, Latinne, Decaestecker 2002): the odds are multiplied by the ratio of the
    prior odds. Probability and threshold change alike, so the same films stay flagged. Where one
    of the two shares is None, nothing changes. All within (0, 1).
    """
    if presupposed is None or prevalence is None or not 0 < probability < 1:
        return probability
    odds = math.log(probability / (1 - probability))
    prior = math.log(prevalence / (1 - prevalence)) - math.log(presupposed / (1 - presupposed))
    return 1 / (1 + math.exp(-(odds + prior)))


def all_at_prevalence(
    probabilities: Floats, presupposed: float | None, prevalence: float | None
) -> Floats:
    """Give many probabilities as `at_prevalence` gives each. (cases,) float64."""
    if presupposed is None or prevalence is None:
        return probabilities
    change = (prevalence / (1 - prevalence)) / (presupposed / (1 - presupposed))
    # Odds of 1 are infinite: they, and those of 0, come back as they were.
    with np.errstate(divide="ignore", over="ignore"):
        against = (1 - probabilities) / (probabilities * change)
    return 1 / (1 + against)
