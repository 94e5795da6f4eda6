"""Probabilities for a site where pneumonia is more or less common than in calibration. Pure."""

import math


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
