"""Scanners, each by maker, model and station, and the films that each sent."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from db.monitoring.columns import STATES, Columns, ensembles_text
from db.monitoring.kept_days import MonitoringData
from db.monitoring.load_columns import MEANS
from readfirst.domain import ImageState
from readfirst.monitoring.period import Period
from readfirst.statistics.shares import share

EVERY_SCANNER = "all scanners"
OTHER_SCANNERS = "other scanners"
#: The busiest are told apart: headers may name as many as they like.
MOST_SCANNERS = 20

#: Films of a scanner in a time bucket, by bin: (bins,).
Counts = npt.NDArray[np.int64]
Counted = Mapping[tuple[str, int], Counts]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerRecord:
    """What one scanner sent in the period, and means of how it was exposed; None where unknown.

    median_grey (0 to 255) and clipped_share are measured on the image that the networks take.
    exposure (mAs), exposure_index and deviation_index (IEC 62494-1) are what the headers say: they
    are shown and nothing is concluded from them, since no reference has them. ensemble_versions:
    that scored its films first, and whose pixel checks refused some, as `1.0, 2.0`.
    """

    scanner: str
    images: int
    refused: int
    refused_share: float | None
    refused_low: float | None
    refused_high: float | None
    median_grey: float | None
    clipped_share: float | None
    exposure: float | None
    exposure_index: float | None
    deviation_index: float | None
    ensemble_versions: str


def scanners(data: MonitoringData, period: Period) -> list[ScannerRecord]:
    """The busiest scanners of a period, each with all that it sent."""
    films, exposures = data.columns("films", period), data.columns("exposures", period)
    numbers, images = np.unique(films["scanner"], return_counts=True)
    names = [films.names[number] for number in numbers]
    order = sorted(range(len(numbers)), key=lambda at: (-images[at], names[at]))
    return [_record(names[at], films, exposures) for at in order[:MOST_SCANNERS]]


def _record(scanner: str, films: Columns, exposures: Columns) -> ScannerRecord:
    sent = films["scanner"] == films.number_of(scanner)
    refused = films["state"][sent] == STATES.index(ImageState.REFUSED)
    not_scored = share(int(refused.sum()), len(refused))
    exposed = exposures["scanner"] == exposures.number_of(scanner)
    means = {column.key: _mean(exposures[column.key][exposed]) for column in MEANS}
    return ScannerRecord(
        scanner=scanner,
        images=not_scored.of,
        refused=not_scored.hits,
        refused_share=not_scored.value,
        refused_low=not_scored.low,
        refused_high=not_scored.high,
        ensemble_versions=ensembles_text(films, films["version"][sent]),
        **means,
    )


def _mean(values: npt.NDArray[np.float32]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else None


def busiest(counted: Counted) -> dict[tuple[str, int], Counts]:
    """The same, with the scanners of few films as one, and all of them as another.

    All of them come first, then the busiest ones in their order.
    """
    films: Counter[str] = Counter()
    for (scanner, _), counts in counted.items():
        films[scanner] += int(counts.sum())
    ranked = sorted(films, key=lambda scanner: (-films[scanner], scanner))
    rank = {scanner: number for number, scanner in enumerate(ranked)}
    merged: defaultdict[tuple[str, int], Counts] = defaultdict(lambda: np.zeros(1, dtype=np.int64))
    for scanner, bucket in sorted(counted, key=lambda key: (rank[key[0]], key[1])):
        name_of = scanner if rank[scanner] < MOST_SCANNERS else OTHER_SCANNERS
        for name in (EVERY_SCANNER, name_of):
            merged[name, bucket] = merged[name, bucket] + counted[scanner, bucket]
    return dict(merged)
