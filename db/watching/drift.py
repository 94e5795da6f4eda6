"""Whether scores, exposure and refusals are still as they were: by scanner and week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.ensembles import active_ensemble
from db.tables import Ensemble, Image
from db.watching.distributions import (
    AT_THE_NETWORKS,
    SCORED,
    VALUES,
    by_kind,
    distributed,
    outcomes,
)
from db.watching.scanners import Counted, Counts, busiest
from readfirst.watching.period import USUAL_DAYS, Period, Stretch
from readfirst.watching.reference import (
    Expected,
    Reference,
    mixed,
    read_reference,
    refused_share,
    smoothed,
)
from readfirst.watching.stability import Judged, by_chance, judge, stability_index
from readfirst.watching.terms import WatchTerms

#: What is held against what: the ensemble's held-out films, and the site's own first weeks.
REFERENCE, BASELINE = "reference", "baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far the films of a scanner are from what was expected, in the period or in a week of it.

    subject: `scores`, `exposure` (median grey), `clipping` (share of black and white pixels) or
    `refusals`. against: `reference` or `baseline`. psi: population stability index, None of too few
    films; by_chance: what so many films reach in one of a hundred cases where nothing has changed.
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


@dataclass(frozen=True, slots=True)
class _Told:
    """Counted films of one subject, what they are held against, and from which day on."""

    subject: str
    against: str
    counted: Counted
    expected: Expected
    since: date


def drift(session: Session, period: Period, terms: WatchTerms) -> list[Drift]:
    """Rows of each subject and scanner, of the whole period and of its weeks.

    None while no ensemble is active. What lies in the baseline itself is not held against it.
    """
    active = active_ensemble(session)
    if active is None:
        return []
    baseline = baseline_period(session, period, terms)
    return [
        row
        for told in _told(session, period, terms, active, baseline)
        for row in _rows(told, period, terms)
    ]


def baseline_period(session: Session, period: Period, terms: WatchTerms) -> Period | None:
    """The site's own first weeks, or those that it chose; None while they are not over."""
    if terms.baseline is not None:
        return Period(*terms.baseline, terms.zone)
    begun = session.scalar(select(func.min(Image.received_at)))
    if begun is None:
        return None
    first = begun.astimezone(terms.zone).date()
    last = first + timedelta(days=USUAL_DAYS - 1)
    return Period(first, last, terms.zone) if last < period.last else None


def reference_of(ensemble: Ensemble) -> Reference | None:
    """What an ensemble's drift is held against, as a worker found it in its folder."""
    return None if ensemble.reference is None else read_reference(ensemble.reference)


def _told(
    session: Session,
    period: Period,
    terms: WatchTerms,
    active: Ensemble,
    baseline: Period | None,
) -> Iterator[_Told]:
    reference = reference_of(active)
    prevalence = terms.prevalence or active.prevalence
    for subject, value in VALUES.items():
        known = None if reference is None else value.distribution(reference)
        edges = value.edges if known is None else known.edges
        counted = distributed(session, period, value, edges, active.version)
        if known is not None:
            expected = mixed(known, prevalence or known.own_prevalence)
            yield _Told(subject, REFERENCE, counted, expected, date.min)
        if baseline is not None:
            before = distributed(session, baseline, value, edges, active.version)
            yield from _against_baseline(subject, counted, before, edges, baseline, terms)
    yield from _refusals(session, period, terms, reference, prevalence, baseline)


def _refusals(
    session: Session,
    period: Period,
    terms: WatchTerms,
    reference: Reference | None,
    prevalence: float | None,
    baseline: Period | None,
) -> Iterator[_Told]:
    found = outcomes(session, period)
    if reference is not None:
        expected = refused_share(reference, prevalence or reference.scores.own_prevalence)
        counted = by_kind(found, AT_THE_NETWORKS)
        yield _Told("refusals", REFERENCE, counted, expected, date.min)
    if baseline is not None:
        before = outcomes(session, baseline)
        codes = {kind for counts in (*found.values(), *before.values()) for kind in counts}
        kinds = [SCORED, *sorted(codes - {SCORED})]
        if len(kinds) > 1:
            counted, first = by_kind(found, kinds), by_kind(before, kinds)
            yield from _against_baseline("refusals", counted, first, (), baseline, terms)


def _against_baseline(
    subject: str,
    counted: Counted,
    before: Counted,
    edges: Sequence[float],
    baseline: Period,
    terms: WatchTerms,
) -> Iterator[_Told]:
    """Nothing is held against first weeks of too few films."""
    total = np.sum(list(before.values()), axis=0) if before else np.zeros(1)
    if total.sum() >= terms.least_films:
        expected = Expected(tuple(edges), smoothed(total), float(total.sum()))
        yield _Told(subject, BASELINE, counted, expected, baseline.last + timedelta(days=1))


def _rows(told: _Told, period: Period, terms: WatchTerms) -> Iterator[Drift]:
    counted = busiest(told.counted)
    whole = Stretch(period.first, period.last)
    for scanner in dict.fromkeys(name for name, _ in counted):
        weeks = {week: counts for (name, week), counts in counted.items() if name == scanner}
        if period.first >= told.since:
            total: Counts = np.sum(list(weeks.values()), axis=0)
            yield _row(told, scanner, "period", whole, total, terms)
        for week in sorted(weeks):
            stretch = period.weeks[week]
            if stretch.first >= told.since:
                yield _row(told, scanner, "week", stretch, weeks[week], terms)


def _row(
    told: _Told, scanner: str, span: str, stretch: Stretch, counts: Counts, terms: WatchTerms
) -> Drift:
    films = int(counts.sum())
    index = stability_index(told.expected, counts)
    chance = by_chance(told.expected, films) if films else 0.0
    judged = judge(
        index,
        films,
        chance,
        least=terms.least_films,
        notice=terms.drift_notice,
        alarm=terms.drift_alarm,
    )
    few = judged is Judged.TOO_FEW
    return Drift(
        subject=told.subject,
        against=told.against,
        scanner=scanner,
        span=span,
        first=stretch.first,
        last=stretch.last,
        films=films,
        psi=None if few else index,
        by_chance=None if few else chance,
        judged=judged,
    )
