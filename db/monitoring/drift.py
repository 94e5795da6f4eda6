"""Drift of scores, exposure and refusals, by scanner and week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy.orm import Session

from db.ensembles.versions import active_ensemble
from db.monitoring.columns import ensembles_text
from db.monitoring.distributions import (
    AT_THE_NETWORKS,
    SCORED,
    VALUES,
    by_kind,
    distributed,
    outcomes,
)
from db.monitoring.kept_days import MonitoringData
from db.monitoring.load_columns import first_day
from db.monitoring.scanners import Counted, Counts, busiest
from db.tables import EnsembleVersion
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import USUAL_DAYS, Period, TimeBucket
from readfirst.monitoring.reference import (
    Expected,
    Reference,
    mixed,
    read_reference,
    refused_share,
    smoothed,
)
from readfirst.monitoring.stability import Judged, by_chance, judge, stability_index

#: What is held against what: the ensemble's held-out films, and the site's own first weeks.
REFERENCE, BASELINE = "reference", "baseline"
SCORES, REFUSALS = "scores", "refusals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far the films of a scanner are from what was expected, in the period or in a week of it.

    subject: `scores`, `exposure` (median grey), `clipping` (share of black and white pixels) or
    `refusals`. against: `reference` or `baseline`. psi: population stability index, None of too few
    films; by_chance: what so many films reach in one of a hundred cases where nothing has changed.
    ensemble_versions: whose scores, reference or pixel checks are meant, as `1.0, 2.0`; empty where
    none is, as for exposure against the site's own first weeks.
    """

    subject: str
    against: str
    scanner: str
    span: str
    first: date
    last: date
    films: int
    psi: float | None
    by_chance: float | None
    judged: Judged
    ensemble_versions: str


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Counted films of one subject, what they are held against, and from which day on.

    needs_prevalence: nothing is judged before the site states its share of pneumonia, of which
    scores depend more than on any change of the films.
    """

    subject: str
    against: str
    counted: Counted
    expected: Expected
    since: date
    needs_prevalence: bool = False


def drift(data: MonitoringData, period: Period, config: MonitoringConfig) -> list[Drift]:
    """Rows of each subject and scanner, of the whole period and of its weeks.

    None while no ensemble is active. What lies in the baseline itself is not held against it.
    """
    active = active_ensemble(data.session)
    if active is None:
        return []
    baseline = baseline_period(data.session, period, config)
    return [
        row
        for comparison in _comparisons(data, period, config, active, baseline)
        for row in _rows(
            comparison,
            period,
            config,
            _ensembles(comparison, data, period, active.version, baseline),
        )
    ]


def _ensembles(
    comparison: _Comparison,
    data: MonitoringData,
    period: Period,
    active: str,
    baseline: Period | None,
) -> str:
    """The ensembles that a comparison is of: scores are of the active one alone."""
    against_reference = comparison.against == REFERENCE
    if comparison.subject != REFUSALS:
        return active if comparison.subject == SCORES or against_reference else ""
    periods = [period] if against_reference or baseline is None else [period, baseline]
    films = (data.columns("films", each) for each in periods)
    texts = [ensembles_text(each, each["version"]) for each in films]
    names = {name for text in texts for name in text.split(", ") if name}
    return ", ".join(sorted(names | ({active} if against_reference else set())))


def baseline_period(session: Session, period: Period, config: MonitoringConfig) -> Period | None:
    """The site's own first weeks, or those that it chose; None while they are not over."""
    if config.baseline is not None:
        return Period(*config.baseline, config.zone)
    first = first_day(session, config.zone)
    if first is None:
        return None
    last = first + timedelta(days=USUAL_DAYS - 1)
    return Period(first, last, config.zone) if last < period.last else None


def reference_of(ensemble: EnsembleVersion) -> Reference | None:
    """The reference of an ensemble, as a worker read it from its folder."""
    return None if ensemble.reference is None else read_reference(ensemble.reference)


def _comparisons(
    data: MonitoringData,
    period: Period,
    config: MonitoringConfig,
    active: EnsembleVersion,
    baseline: Period | None,
) -> Iterator[_Comparison]:
    reference = reference_of(active)
    prevalence = config.prevalence or active.prevalence
    for subject, value in VALUES.items():
        known = None if reference is None else value.distribution(reference)
        edges = value.edges if known is None else known.edges
        counted = distributed(data, period, value, edges, active.version)
        if known is not None:
            expected = mixed(known, prevalence or known.own_prevalence)
            unstated = subject == SCORES and config.prevalence is None
            yield _Comparison(subject, REFERENCE, counted, expected, date.min, unstated)
        if baseline is not None:
            before = distributed(data, baseline, value, edges, active.version)
            yield from _against_baseline(subject, counted, before, edges, baseline, config)
    yield from _refusals(data, period, config, reference, prevalence, baseline)


def _refusals(
    data: MonitoringData,
    period: Period,
    config: MonitoringConfig,
    reference: Reference | None,
    prevalence: float | None,
    baseline: Period | None,
) -> Iterator[_Comparison]:
    current = outcomes(data, period)
    if reference is not None:
        expected = refused_share(reference, prevalence or reference.scores.own_prevalence)
        counted = by_kind(current, AT_THE_NETWORKS)
        yield _Comparison(REFUSALS, REFERENCE, counted, expected, date.min)
    if baseline is not None:
        before = outcomes(data, baseline)
        codes = {kind for counts in (*current.values(), *before.values()) for kind in counts}
        kinds = [SCORED, *sorted(codes - {SCORED})]
        if len(kinds) > 1:
            counted, first = by_kind(current, kinds), by_kind(before, kinds)
            yield from _against_baseline(REFUSALS, counted, first, (), baseline, config)


def _against_baseline(
    subject: str,
    counted: Counted,
    before: Counted,
    edges: Sequence[float],
    baseline: Period,
    config: MonitoringConfig,
) -> Iterator[_Comparison]:
    """Nothing is held against first weeks of too few films."""
    total = np.sum(list(before.values()), axis=0) if before else np.zeros(1)
    if total.sum() >= config.least_films:
        expected = Expected(tuple(edges), smoothed(total), float(total.sum()))
        yield _Comparison(subject, BASELINE, counted, expected, baseline.last + timedelta(days=1))


def _rows(
    comparison: _Comparison, period: Period, config: MonitoringConfig, ensembles: str
) -> Iterator[Drift]:
    counted = busiest(comparison.counted)
    whole = TimeBucket(period.first, period.last)
    for scanner in dict.fromkeys(name for name, _ in counted):
        weeks = {week: counts for (name, week), counts in counted.items() if name == scanner}
        if period.first >= comparison.since:
            total: Counts = np.sum(list(weeks.values()), axis=0)
            yield _row(comparison, ensembles, (scanner, "period", whole), total, config)
        for week in sorted(weeks):
            bucket = period.weeks[week]
            if bucket.first >= comparison.since:
                where = (scanner, "week", bucket)
                yield _row(comparison, ensembles, where, weeks[week], config)


def _row(
    comparison: _Comparison,
    ensembles: str,
    where: tuple[str, str, TimeBucket],
    counts: Counts,
    config: MonitoringConfig,
) -> Drift:
    """A row. where: scanner, span and time bucket."""
    scanner, span, bucket = where
    films = int(counts.sum())
    index = stability_index(comparison.expected, counts)
    chance = by_chance(comparison.expected, films) if films else 0.0
    judged = judge(
        index,
        films,
        chance,
        least=config.least_films,
        notice=config.drift_notice,
        alarm=config.drift_alarm,
    )
    few = judged is Judged.TOO_FEW
    if comparison.needs_prevalence and not few:
        judged = Judged.PREVALENCE_NOT_SET
    return Drift(
        subject=comparison.subject,
        against=comparison.against,
        scanner=scanner,
        span=span,
        first=bucket.first,
        last=bucket.last,
        films=films,
        psi=None if few else index,
        by_chance=None if few else chance,
        judged=judged,
        ensemble_versions=ensembles,
    )
