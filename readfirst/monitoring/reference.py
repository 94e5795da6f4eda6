"""References: how an ensemble's scores and films are distributed where it was validated. Pure.

By class, because a collection made for training has another share of pneumonia than a department:
what should be alike is how the sick and the healthy each look, and a site mixes them by its own
prevalence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

Array = npt.NDArray[np.float64]
#: Bins of a distribution, of equal weight where both classes weigh the same.
BINS = 10


@dataclass(frozen=True, slots=True)
class Binned:
    """A distribution of each class. edges: between the bins, so one fewer than there are.

    A value at an edge belongs to the bin above it.
    """

    edges: tuple[float, ...]
    pneumonia: tuple[int, ...]
    normal: tuple[int, ...]

    @property
    def own_prevalence(self) -> float:
        """Share of pneumonia among its own films."""
        return sum(self.pneumonia) / (sum(self.pneumonia) + sum(self.normal))


@dataclass(frozen=True, slots=True)
class PixelCheckRefusals:
    """Films of each class that the pixel check refused, and all of the class."""

    pneumonia: tuple[int, int]
    normal: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The distributions of an ensemble's held-out patients. films: which they are, a sentence."""

    ensemble_version: str
    films: str
    scores: Binned
    median_grey: Binned
    clipped_share: Binned
    refused: PixelCheckRefusals


REFERENCES = TypeAdapter(Reference)


@dataclass(frozen=True, slots=True)
class Expected:
    """A distribution to be held against. shares: (bins,), above 0, sum 1.

    behind: how many cases it comes from, as far as chance is concerned.
    """

    edges: tuple[float, ...]
    shares: Array
    behind: float


def read_reference(data: Mapping[str, Any] | str | bytes) -> Reference:
    """A reference from its JSON. Raises ValueError for what is none."""
    try:
        if isinstance(data, str | bytes):
            return REFERENCES.validate_json(data)
        return REFERENCES.validate_python(data)
    except ValidationError as error:
        raise ValueError(f"no reference: {error.errors()[0]['msg']}") from error


def as_data(reference: Reference) -> dict[str, Any]:
    """A reference as JSON knows it."""
    data: dict[str, Any] = REFERENCES.dump_python(reference, mode="json")
    return data


def binned(values: Array, labels: npt.NDArray[np.int64], edge_at: float | None = None) -> Binned:
    """Both classes of (n,) values in bins that hold as much of an even mixture of the two.

    labels: (n,), 1 is pneumonia. Values that come often, as 0, make fewer bins. edge_at: where one
    more edge is to be, as at a threshold, so that what is counted on either side of it is exact.
    """
    weights = np.where(labels == 1, 1 / np.count_nonzero(labels), 1 / np.count_nonzero(labels == 0))
    edges = np.unique(
        np.quantile(
            values,
            np.arange(1, BINS) / BINS,
            weights=weights,
            method="inverted_cdf",
        )
    )
    if edge_at is not None:
        edges = np.unique(np.append(edges, edge_at))
    # All that lies below the lowest edge must not be empty by construction.
    edges = edges[edges > values.min()]
    return Binned(
        tuple(float(edge) for edge in edges),
        counted(values[labels == 1], edges),
        counted(values[labels == 0], edges),
    )


def counted(values: Array, edges: Sequence[float] | Array) -> tuple[int, ...]:
    """Count the values in each bin."""
    bins = np.searchsorted(np.asarray(edges), values, side="right")
    return tuple(int(count) for count in np.bincount(bins, minlength=len(edges) + 1))


def mixed(distribution: Binned, prevalence: float) -> Expected:
    """The distribution expected of films of which this share shows pneumonia."""
    sick, well = smoothed(distribution.pneumonia), smoothed(distribution.normal)
    return Expected(
        distribution.edges,
        prevalence * sick + (1 - prevalence) * well,
        _behind(sum(distribution.pneumonia), sum(distribution.normal), prevalence),
    )


def refused_share(reference: Reference, prevalence: float) -> Expected:
    """The expected shares of films that pass the pixel check, and that it refuses."""
    (sick, all_sick), (well, all_well) = reference.refused.pneumonia, reference.refused.normal
    passed = Binned((0.5,), (all_sick - sick, sick), (all_well - well, well))
    return mixed(passed, prevalence)


def smoothed(counts: Sequence[int] | Array | npt.NDArray[np.int64]) -> Array:
    """Shares of (bins,) counts, each raised by a half, so that none is zero (Jeffreys' prior)."""
    raised = np.asarray(counts, dtype=float) + 0.5
    shares: Array = raised / raised.sum()
    return shares


def _behind(sick: int, well: int, prevalence: float) -> float:
    """As many films drawn from the mixture itself would leave as much to chance.

    A share of the mixture has the variance of its two parts, each weighed by its square.
    """
    return 1 / (prevalence**2 / sick + (1 - prevalence) ** 2 / well)
