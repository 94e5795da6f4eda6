"""Volumes: what came in and what became of it, by day or week of its arrival."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from db.monitoring.columns import (
    NONE,
    STATES,
    bucket_slices,
    counts_by,
    ensembles_text,
    versions_text,
)
from db.monitoring.kept_days import MonitoringData
from readfirst.domain import ImageState
from readfirst.monitoring.period import Period
from readfirst.refusals import RefusalCode
from readfirst.statistics.shares import share

#: The refusal that an ensemble decides, by its pixel check.
BY_ENSEMBLE = RefusalCode.NOT_A_CHEST_RADIOGRAPH.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What came in on a day or in a week, and what has become of it since.

    flagged_share: of the studies with a score, with its 95 % interval; None where there is none.
    ensemble_versions: by which they are flagged or not, as `1.0, 2.0`; threshold_versions: of the
    thresholds by which they are, as `1, 2`.
    """

    first: date
    last: date
    images: int
    scored: int
    refused: int
    in_work: int
    set_aside: int
    studies: int
    studies_scored: int
    flagged: int
    flagged_share: float | None
    flagged_low: float | None
    flagged_high: float | None
    ensemble_versions: str
    threshold_versions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalCount:
    """How many images that came in on a day or in a week were refused by one code.

    ensemble_versions: of a refusal by the pixel check of an ensemble, those that scored other
    images of the day or week; empty for all other codes, which no ensemble decides.
    """

    first: date
    last: date
    code: str
    images: int
    ensemble_versions: str


def volumes(data: MonitoringData, period: Period) -> list[Volume]:
    """A row for each time bucket of the period, empty ones too."""
    buckets = period.time_buckets
    films = data.columns("films", period)
    studies = data.columns("studies", period)
    ignored = bucket_slices(data.columns("ignored", period)["day"], buckets)
    images = counts_by(len(STATES), bucket_slices(films["day"], buckets), films["state"])
    # 0: no score; 1: not flagged; 2: flagged.
    flags = np.where(studies["scored"], 1 + studies["flagged"], 0)
    parts = bucket_slices(studies["day"], buckets)
    of_flag = counts_by(3, parts, flags)
    return [
        volume(
            bucket.first,
            bucket.last,
            dict(zip(STATES, map(int, images[number]), strict=True)),
            dict(zip((None, False, True), map(int, of_flag[number]), strict=True)),
            ignored[number].stop - ignored[number].start,
            ensembles_text(studies, studies["version"][parts[number]]),
            versions_text(studies["threshold"][parts[number]]),
        )
        for number, bucket in enumerate(buckets)
    ]


def volume(
    first: date,
    last: date,
    images: dict[ImageState, int],
    studies: dict[bool | None, int],
    set_aside: int,
    ensembles: str = "",
    thresholds: str = "",
) -> Volume:
    """A row from its counts. studies: by their flag, None for those without a score."""
    flagged = share(studies[True], studies[True] + studies[False])
    return Volume(
        first=first,
        last=last,
        images=sum(images.values()),
        scored=images[ImageState.SCORED],
        refused=images[ImageState.REFUSED],
        in_work=images[ImageState.RECEIVED] + images[ImageState.READY],
        set_aside=set_aside,
        studies=sum(studies.values()),
        studies_scored=flagged.of,
        flagged=flagged.hits,
        flagged_share=flagged.value,
        flagged_low=flagged.low,
        flagged_high=flagged.high,
        ensemble_versions=ensembles,
        threshold_versions=thresholds,
    )


def refusals(data: MonitoringData, period: Period) -> list[RefusalCount]:
    """A row for each time bucket and code that occurs, in this order."""
    films, buckets = data.columns("films", period), period.time_buckets
    refused = films.where(
        (films["state"] == STATES.index(ImageState.REFUSED)) & (films["code"] != NONE)
    )
    counts = counts_by(len(films.names), bucket_slices(refused["day"], buckets), refused["code"])
    parts = bucket_slices(films["day"], buckets)

    def ensembles(number: int, code: int) -> str:
        if films.names[code] != BY_ENSEMBLE:
            return ""
        return ensembles_text(films, films["version"][parts[number]])

    return [
        RefusalCount(
            first=bucket.first,
            last=bucket.last,
            code=films.names[code],
            images=int(counts[number, code]),
            ensemble_versions=ensembles(number, int(code)),
        )
        for number, bucket in enumerate(buckets)
        for code in sorted(np.flatnonzero(counts[number]), key=lambda code: films.names[code])
    ]
