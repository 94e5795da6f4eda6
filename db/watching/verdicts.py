"""How the ensembles compare with readers: of studies by their arrival, by each ensemble version.

The latest verdict of a study counts. Who cannot tell is counted apart, and what is withdrawn is no
verdict. Readers saw what the AI said, and read first what it flagged: see docs/watching.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from db.tables import Ensemble, Image, Score, Study
from db.verdict_tables import Verdict
from db.watching.stretches import within
from readfirst.findings import Finding
from readfirst.prevalence import at_prevalence
from readfirst.watching.agreement import Confusion, kappa, measures
from readfirst.watching.calibration import Bin, calibration_error, reliability
from readfirst.watching.period import Period, Stretch
from readfirst.watching.shares import Share, share
from readfirst.watching.terms import WatchTerms

#: The latest verdicts of a period that are looked at.
MOST_ROWS = 20_000
#: What is also told by week.
BY_WEEK = ("ppv", "npv", "agreement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of one ensemble version, of the whole period or of a week.

    measure: `verdicts` (share of the studies scored that have one; left out where not all are
    looked at), `cannot_tell`, `ppv`, `npv`, `sensitivity`, `specificity`, `agreement`, or `kappa`
    and `ece`, which are no shares.
    value, low, high: with its 95 % interval; None where there is nothing to count.
    """

    span: str
    first: date
    last: date
    ensemble_version: str
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
class _Told:
    """Studies with a verdict, as one ensemble version scored them: (n,) each.

    sick: -1 where the reader cannot tell.
    """

    arrived: np.ndarray
    probabilities: np.ndarray
    flagged: np.ndarray
    sick: np.ndarray


def verdict_measures(session: Session, period: Period, terms: WatchTerms) -> list[Measure]:
    """Rows of each ensemble version: of the whole period, then of its weeks that have verdicts."""
    scored, complete = _scored(session, period), _are_all(session, period)
    whole = Stretch(period.first, period.last)
    rows: list[Measure] = []
    for version, told in _told(session, period, terms).items():
        everyone = np.ones(len(told.sick), dtype=bool)
        rows += _measured("period", whole, version, told, everyone)
        if complete:
            verdicts = share(len(told.sick), scored[version])
            rows.append(_row("period", whole, version, "verdicts", verdicts))
        rows += _by_week(period, version, told)
    return rows


def calibration(session: Session, period: Period, terms: WatchTerms) -> list[Calibration]:
    """The bins of each ensemble version."""
    return [
        _calibration(version, each)
        for version, told in _told(session, period, terms).items()
        for each in _bins(told)
    ]


def confusion(told_flagged: np.ndarray, sick: np.ndarray) -> Confusion:
    """Counts of (n,) flags and verdicts; who cannot tell is left out."""
    flagged = told_flagged.astype(bool)
    return Confusion(
        int((flagged & (sick == 1)).sum()),
        int((flagged & (sick == 0)).sum()),
        int((~flagged & (sick == 1)).sum()),
        int((~flagged & (sick == 0)).sum()),
    )


def _told(session: Session, period: Period, terms: WatchTerms) -> dict[str, _Told]:
    """What stands, by ensemble version, the latest version first."""
    known = select(Ensemble.version, Ensemble.prevalence).order_by(Ensemble.registered_at.desc())
    presupposed = dict(session.execute(known).all())
    by_version: dict[str, list[tuple[datetime, float, int, Finding]]] = {}
    for arrived, finding, version, probability, flagged in session.execute(_standing(period)):
        if finding is None:
            continue
        shown = at_prevalence(probability, presupposed[version], terms.prevalence)
        by_version.setdefault(version, []).append((arrived, shown, flagged, finding))
    return {
        version: _columns(by_version[version]) for version in presupposed if version in by_version
    }


def _columns(rows: Sequence[tuple[datetime, float, int, Finding]]) -> _Told:
    sick = {Finding.PNEUMONIA: 1, Finding.NO_PNEUMONIA: 0, Finding.CANNOT_TELL: -1}
    return _Told(
        np.array([arrived.timestamp() for arrived, *_ in rows]),
        np.array([probability for _, probability, *_ in rows]),
        np.array([bool(flagged) for *_, flagged, _ in rows]),
        np.array([sick[finding] for *_, finding in rows]),
    )


def _standing(period: Period) -> Select[datetime, Finding | None, str, float, int]:
    """Studies of the period: their standing finding, and what each version made of them."""
    latest = (
        select(func.max(Verdict.id).label("id"))
        .join(Study, Verdict.study_id == Study.id)
        .where(within(Study.received_at, period))
        .group_by(Verdict.study_id)
        .order_by(func.max(Verdict.id).desc())
        .limit(MOST_ROWS)
        .subquery()
    )
    return (
        select(
            Study.received_at,
            Verdict.finding,
            Score.ensemble_version,
            func.max(Score.probability),
            func.max(case((Score.flagged, 1), else_=0)),
        )
        .join(latest, Verdict.id == latest.c.id)
        .join(Study, Verdict.study_id == Study.id)
        .join(Image, Image.study_id == Study.id)
        .join(Score, Score.image_id == Image.id)
        .where(Verdict.finding.is_not(None))
        .group_by(Verdict.id, Study.received_at, Verdict.finding, Score.ensemble_version)
    )


def _are_all(session: Session, period: Period) -> bool:
    """Whether the verdicts that are looked at are all of the period."""
    query = (
        select(func.count(Verdict.study_id.distinct()))
        .join(Study, Verdict.study_id == Study.id)
        .where(within(Study.received_at, period))
    )
    return (session.scalar(query) or 0) <= MOST_ROWS


def _scored(session: Session, period: Period) -> dict[str, int]:
    """How many studies of the period each version has scored."""
    query = (
        select(Score.ensemble_version, func.count(Image.study_id.distinct()))
        .join(Image, Score.image_id == Image.id)
        .join(Study, Image.study_id == Study.id)
        .where(within(Study.received_at, period))
        .group_by(Score.ensemble_version)
    )
    return dict(session.execute(query).all())


def _measured(
    span: str, one: Stretch, version: str, told: _Told, meant: np.ndarray
) -> Iterator[Measure]:
    counts = confusion(told.flagged[meant], told.sick[meant])
    for name, found in measures(counts).items():
        yield _row(span, one, version, name, found)
    if span == "period":
        unsure = share(int((told.sick == -1).sum()), len(told.sick))
        yield _row(span, one, version, "cannot_tell", unsure)
        yield _number(one, version, "kappa", counts.studies, kappa(counts))
        yield _number(one, version, "ece", counts.studies, calibration_error(_bins(told)))


def _by_week(period: Period, version: str, told: _Told) -> Iterator[Measure]:
    ends = [end.timestamp() for end in period.ends(period.weeks)]
    week_of = np.searchsorted(ends, told.arrived, side="right")
    for number, week in enumerate(period.weeks):
        meant = week_of == number
        if meant.any():
            rows = _measured("week", week, version, told, meant)
            yield from (row for row in rows if row.measure in BY_WEEK)


def _bins(told: _Told) -> tuple[Bin, ...]:
    sure = told.sick != -1
    return reliability(told.probabilities[sure], told.sick[sure] == 1)


def _row(span: str, one: Stretch, version: str, measure: str, found: Share) -> Measure:
    return Measure(
        span=span,
        first=one.first,
        last=one.last,
        ensemble_version=version,
        measure=measure,
        hits=found.hits,
        of=found.of,
        value=found.value,
        low=found.low,
        high=found.high,
    )


def _number(one: Stretch, version: str, measure: str, of: int, value: float | None) -> Measure:
    return Measure(
        span="period",
        first=one.first,
        last=one.last,
        ensemble_version=version,
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
        studies=each.observed.of,
        stated=each.stated,
        observed=each.observed.value,
        low=each.observed.low,
        high=each.observed.high,
    )
