"""The ensembles against their readers: of studies by their arrival, by each ensemble version.

A study counts by the threshold by which it was flagged or not; figures say its versions. The latest
verdict of a study counts. Who cannot tell is counted apart, and what is withdrawn is no
verdict. Readers saw what the AI said, and read first what it flagged: see
docs/how-to/monitor-the-ai.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from db.monitoring.columns import FINDINGS, NONE, Columns, bucket_slices, versions_text
from db.monitoring.kept_days import MonitoringData
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import Period, TimeBucket
from readfirst.statistics.calibration import Bin, calibration_error, reliability
from readfirst.statistics.confusion import confusion_of, kappa, measures
from readfirst.statistics.shares import Share, share
from readfirst.studies.findings import Finding
from readfirst.studies.prevalence import all_at_prevalence

#: Measures that are also given by week.
BY_WEEK = ("ppv", "npv", "agreement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of one ensemble version, of the whole period or of a week.

    measure: `verdicts` (share of the studies scored that have one), `blind` (share of those whose
    reader had not seen what the AI said), `cannot_tell`, `ppv`, `npv`, `sensitivity`,
    `specificity`, `agreement`, or `kappa` and `ece`, which are no shares.
    value, low, high: with its 95 % interval; None where there is nothing to count.
    threshold_versions: of the thresholds by which its studies count, as `1, 2`.
    """

    span: str
    first: date
    last: date
    ensemble_version: str
    threshold_versions: str
    measure: str
    hits: int | None
    of: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Studies with a verdict whose probability lies in a bin.

    stated: their mean probability, at the site's prevalence. observed: what share has pneumonia.
    """

    ensemble_version: str
    lower: float
    upper: float
    studies: int
    stated: float | None
    observed: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class _ReadStudies:
    """Studies with a verdict, as one ensemble version scored them: (n,) each.

    days: on which they came in, as ordinals, in order. thresholds: versions. sick: -1 where the
    reader cannot tell.
    """

    days: np.ndarray
    probabilities: np.ndarray
    flagged: np.ndarray
    thresholds: np.ndarray
    sick: np.ndarray
    blind: np.ndarray


@dataclass(frozen=True, slots=True)
class _Span:
    """The studies that a row is of: of a time, an ensemble version, and versions of thresholds."""

    name: str
    bucket: TimeBucket
    version: str
    thresholds: str


def verdict_measures(
    data: MonitoringData,
    period: Period,
    config: MonitoringConfig,
    thresholds: Mapping[str, int] | None = None,
) -> list[Measure]:
    """Rows of each ensemble version: of the whole period, then of its weeks that have verdicts.

    thresholds: of an ensemble that is named, only studies that count by this version of its
    threshold. None: all studies; the rows say which versions are among them.
    """
    whole = TimeBucket(period.first, period.last)
    rows: list[Measure] = []
    for version, (studies, scored) in _read_studies(data, period, config, thresholds).items():
        span = _Span("period", whole, version, versions_text(studies.thresholds))
        rows += _measured(span, studies, slice(None))
        rows.append(_row(span, "verdicts", share(len(studies.sick), scored)))
        rows += _by_week(period, version, studies)
    return rows


def calibration(
    data: MonitoringData, period: Period, config: MonitoringConfig
) -> list[Calibration]:
    """The bins of each ensemble version."""
    return [
        _calibration(version, each)
        for version, (studies, _) in _read_studies(data, period, config).items()
        for each in _bins(studies)
    ]


def _read_studies(
    data: MonitoringData,
    period: Period,
    config: MonitoringConfig,
    thresholds: Mapping[str, int] | None = None,
) -> dict[str, tuple[_ReadStudies, int]]:
    """The studies with a standing verdict, and how many were scored: by ensemble version."""
    opinions = data.columns("opinions", period)
    read = {}
    for version, prevalence in data.prevalences.items():
        scored = opinions.where(opinions["version"] == opinions.number_of(version))
        if thresholds is not None and version in thresholds:
            scored = scored.where(scored["threshold"] == thresholds[version])
        judged = scored.where(scored["finding"] != NONE)
        if len(judged):
            read[version] = _as_shown(judged, prevalence, config), len(scored)
    return read


def _as_shown(
    opinions: Columns, prevalence: float | None, config: MonitoringConfig
) -> _ReadStudies:
    sick = {Finding.PNEUMONIA: 1, Finding.NO_PNEUMONIA: 0, Finding.CANNOT_TELL: -1}
    return _ReadStudies(
        opinions["day"],
        all_at_prevalence(opinions["probability"], prevalence, config.prevalence),
        opinions["flagged"],
        opinions["threshold"],
        np.array([sick[finding] for finding in FINDINGS])[opinions["finding"]],
        opinions["blind"],
    )


def _measured(span: _Span, studies: _ReadStudies, part: slice) -> Iterator[Measure]:
    flagged, sick = studies.flagged[part], studies.sick[part]
    sure = sick != -1
    counts = confusion_of(flagged[sure], sick[sure] == 1)
    for name, proportion in measures(counts).items():
        yield _row(span, name, proportion)
    if span.name == "period":
        unsure = share(int((studies.sick == -1).sum()), len(studies.sick))
        yield _row(span, "cannot_tell", unsure)
        blind = share(int(studies.blind.sum()), len(studies.blind))
        yield _row(span, "blind", blind)
        yield _number(span, "kappa", counts.cases, kappa(counts))
        yield _number(span, "ece", counts.cases, _calibration_error(studies))


def _by_week(period: Period, version: str, studies: _ReadStudies) -> Iterator[Measure]:
    parts = bucket_slices(studies.days, period.weeks)
    for week, part in zip(period.weeks, parts, strict=True):
        if part.start < part.stop:
            thresholds = versions_text(studies.thresholds[part])
            rows = _measured(_Span("week", week, version, thresholds), studies, part)
            yield from (row for row in rows if row.measure in BY_WEEK)


def _bins(studies: _ReadStudies) -> tuple[Bin, ...]:
    sure = studies.sick != -1
    return reliability(studies.sick[sure], studies.probabilities[sure])


def _calibration_error(studies: _ReadStudies) -> float | None:
    """None where no reader could tell."""
    sure = studies.sick != -1
    return (
        calibration_error(studies.sick[sure], studies.probabilities[sure]) if sure.any() else None
    )


def _row(span: _Span, measure: str, proportion: Share) -> Measure:
    return Measure(
        span=span.name,
        first=span.bucket.first,
        last=span.bucket.last,
        ensemble_version=span.version,
        threshold_versions=span.thresholds,
        measure=measure,
        hits=proportion.hits,
        of=proportion.of,
        value=proportion.value,
        low=proportion.low,
        high=proportion.high,
    )


def _number(span: _Span, measure: str, of: int, value: float | None) -> Measure:
    return Measure(
        span=span.name,
        first=span.bucket.first,
        last=span.bucket.last,
        ensemble_version=span.version,
        threshold_versions=span.thresholds,
        measure=measure,
        hits=None,
        of=of,
        value=value,
        low=None,
        high=None,
    )


def _calibration(version: str, each: Bin) -> Calibration:
    return Calibration(
        ensemble_version=version,
        lower=each.lower,
        upper=each.upper,
        studies=each.count,
        stated=each.stated,
        observed=each.observed.value,
        low=each.observed.low,
        high=each.observed.high,
    )
