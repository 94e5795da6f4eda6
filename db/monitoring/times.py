"""The times of films from their arrival to the worklist, and of studies until they are read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from db.monitoring.columns import STATES, Array, Columns, bucket_slices, ensembles_text
from db.monitoring.kept_days import MonitoringData
from readfirst.domain import ImageState
from readfirst.monitoring.durations import durations
from readfirst.monitoring.period import Period, TimeBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long a step took for what came in on a day, in a week, or in the whole period.

    span: `period`, `day` or `week`. step: `worklist`, from a film's arrival to its first score;
    `read`, from a study's arrival to when it was read. studies: `all`, `flagged`, or `not_flagged`,
    which have a score. p50, p95, p99: in seconds, of those done; open: how many are not done yet.
    ensemble_versions: that scored the films first, or by which the studies are flagged or not, as
    `1.0, 2.0`.
    """

    span: str
    first: date
    last: date
    step: str
    studies: str
    done: int
    open: int
    p50: float | None
    p95: float | None
    p99: float | None
    ensemble_versions: str


def times(data: MonitoringData, period: Period) -> list[Times]:
    """For each step those of the whole period first, then of each bucket in which films came."""
    films, studies = data.columns("films", period), data.columns("studies", period)
    # What is refused is not waited for.
    waiting = films.where(films["state"] != STATES.index(ImageState.REFUSED))
    return [
        *_times("worklist", waiting, period),
        *_times("read", studies.where(~studies["prior"]), period),
    ]


def _times(step: str, columns: Columns, period: Period) -> Iterator[Times]:
    scored, flagged = columns["scored"], columns["flagged"]
    groups = {
        "all": columns,
        "flagged": columns.where(scored & flagged),
        "not_flagged": columns.where(scored & ~flagged),
    }
    parts = {
        name: [slice(None), *bucket_slices(group["day"], period.time_buckets)]
        for name, group in groups.items()
    }
    for number, (span, bucket) in enumerate(_spans(period)):
        for name, group in groups.items():
            part = parts[name][number]
            if span == "period" or part.start < part.stop:
                ensembles = ensembles_text(group, group["version"][part])
                yield _row((span, bucket, step, name), group["seconds"][part], ensembles)


def _spans(period: Period) -> list[tuple[str, TimeBucket]]:
    whole = TimeBucket(period.first, period.last)
    return [("period", whole), *((period.by, bucket) for bucket in period.time_buckets)]


def _row(which: tuple[str, TimeBucket, str, str], seconds: Array, ensembles: str) -> Times:
    """A row. which: span, time bucket, step and studies."""
    span, bucket, step, studies = which
    took = durations(seconds.astype(np.float64))
    return Times(
        span=span,
        first=bucket.first,
        last=bucket.last,
        step=step,
        studies=studies,
        done=took.done,
        open=took.open,
        p50=took.p50,
        p95=took.p95,
        p99=took.p99,
        ensemble_versions=ensembles,
    )
