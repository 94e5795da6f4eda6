"""A share of some cases, with its 95 % interval. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many. value, low, high: 0 to 1; None where there are no cases."""

    hits: int
    of: int
    value: float | None
    low: float | None
    high: float | None


def share(hits: int, of: int) -> Share:
    """A share with its 95 % interval (Wilson 1927), which holds for few cases too."""
    if not of:
        return Share(0, 0, None, None, None)
    from scipy.stats import binomtest

    reach = binomtest(hits, of).proportion_ci(confidence_level=0.95, method="wilson")
    return Share(hits, of, hits / of, float(reach.low), float(reach.high))
