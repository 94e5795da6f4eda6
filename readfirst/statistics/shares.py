"""A share of some cases, with its 95 % interval. Pure."""

import math
from dataclasses import dataclass
from statistics import NormalDist

#: The normal distribution has 95 % of its cases so near to its middle, in standard deviations.
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of some cases. value, low, high: 0 to 1; None where there are no cases."""

    hits: int
    of: int
    value: float | None
    low: float | None
    high: float | None


def share(hits: int, of: int) -> Share:
    """Count a share, with its 95 % interval (Wilson 1927)."""
    if not of:
        return Share(0, 0, None, None, None)
    return Share(hits, of, hits / of, *wilson_interval(hits, of))


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """Give both ends of the 95 % interval of a share; it holds for few cases too.

    Source: Wilson, Journal of the American Statistical Association 22, 1927. Raises ValueError
    if there are no cases.
    """
    if of < 1:
        raise ValueError("no share of nothing")
    if not 0 <= hits <= of:
        raise ValueError("a share is a part of its cases")
    value, square = hits / of, Z * Z
    middle = (2 * hits + square) / (2 * (of + square))
    half = Z * math.sqrt(4 * of * value * (1 - value) + square) / (2 * (of + square))
    return (middle - half if hits else 0.0), (middle + half if hits < of else 1.0)
