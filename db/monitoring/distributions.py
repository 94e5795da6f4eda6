"""Counts of films in each bin of the values that are monitored for drift, by scanner and week."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.monitoring.columns import NONE, STATES, Array, Columns, bucket_slices, counts_by
from db.monitoring.kept_days import MonitoringData
from db.monitoring.scanners import Counted
from readfirst.domain import ImageState
from readfirst.monitoring.period import Period
from readfirst.monitoring.reference import Binned, Reference
from readfirst.refusals import RefusalCode

#: What became of a film that is not refused.
SCORED = "scored"


@dataclass(frozen=True, slots=True)
class Value:
    """A monitored value of each film. edges: of its bins where no reference names others.

    table, column: of the columns that it is read from.
    """

    table: str
    column: str
    distribution: Callable[[Reference], Binned]
    edges: tuple[float, ...]


TENTHS = tuple(number / 10 for number in range(1, 10))
VALUES = {
    "scores": Value("scores", "probability", lambda reference: reference.scores, TENTHS),
    "exposure": Value(
        "exposures",
        "median_grey",
        lambda reference: reference.median_grey,
        tuple(255 * share for share in TENTHS),
    ),
    "clipping": Value(
        "exposures",
        "clipped_share",
        lambda reference: reference.clipped_share,
        (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
    ),
}


def distributed(
    data: MonitoringData, period: Period, value: Value, edges: Sequence[float], version: str
) -> Counted:
    """Films of each scanner and week whose value lies in each bin. version: of the scores."""
    columns = data.columns(value.table, period)
    is_known = ~np.isnan(columns[value.column])
    if value.table == "scores":
        is_known &= columns["version"] == columns.number_of(version)
    films = columns.where(is_known)
    values = films[value.column]
    # A value at an edge is of the bin above.
    bins = np.searchsorted(np.array(edges, dtype=values.dtype), values, side="right")
    return _by_scanner_and_week(films, period, bins, len(edges) + 1)


def outcomes(data: MonitoringData, period: Period) -> dict[tuple[str, int], dict[str, int]]:
    """The outcomes of the films of each scanner and week: scored, or the refusal's code."""
    films = data.columns("films", period)
    ended = [STATES.index(state) for state in (ImageState.SCORED, ImageState.REFUSED)]
    films = films.where(np.isin(films["state"], ended))
    kinds, codes = (*films.names, SCORED), films["code"]
    numbers = np.where(codes == NONE, len(films.names), codes)
    counted = _by_scanner_and_week(films, period, numbers, len(kinds))
    return {
        key: {kinds[kind]: int(counts[kind]) for kind in np.flatnonzero(counts)}
        for key, counts in counted.items()
    }


def by_kind(outcomes_of: dict[tuple[str, int], dict[str, int]], kinds: Sequence[str]) -> Counted:
    """Outcomes as counts of the named kinds, in their order; others are left out."""
    return {
        key: np.array([counts.get(kind, 0) for kind in kinds], dtype=np.int64)
        for key, counts in outcomes_of.items()
    }


#: What a film that reaches the networks may end as: the reference knows no other refusal.
AT_THE_NETWORKS = (SCORED, RefusalCode.NOT_A_CHEST_RADIOGRAPH.value)


def _by_scanner_and_week(films: Columns, period: Period, bins: Array, count: int) -> Counted:
    """Count films in each bin. bins: (rows,), of each film, below count."""
    scanners, weeks = len(films.names), bucket_slices(films["day"], period.weeks)
    keys = films["scanner"].astype(np.int64) * count + bins
    table = counts_by(scanners * count, weeks, keys).reshape(len(weeks), scanners, count)
    return {
        (films.names[scanner], int(week)): table[week, scanner]
        for week, scanner in np.argwhere(table.sum(axis=2) > 0)
    }
