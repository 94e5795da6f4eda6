"""A share of some cases, with its 95 % interval. Pure."""

from dataclasses import dataclass


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
    from scipy.stats import binomtest

    interval = binomtest(hits, of).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)
