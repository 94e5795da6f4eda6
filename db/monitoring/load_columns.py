"""Columns of the monitoring, read from the rows of films, scores, studies and verdicts."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from db.ensembles.shadows import score_counts
from db.monitoring.columns import (
    EXPOSURE,
    FILM,
    FINDINGS,
    IGNORED,
    NONE,
    OPINION,
    SCORE,
    STATES,
    STUDY,
    Columns,
    Rows,
    in_order,
    numbered,
)
from db.scanner_names import SCANNER, scanner_name
from db.study_conditions import (
    counting_threshold,
    counting_threshold_version,
    is_read_here,
)
from db.tables import IgnoredFile, Image, Score, Study, Verdict
from readfirst.monitoring.period import Period, midnight

#: What is measured on a film, and what its header says of its exposure.
MEANS = (
    Image.median_grey,
    Image.clipped_share,
    Image.exposure,
    Image.exposure_index,
    Image.deviation_index,
)


def load_columns(table: str, session: Session, period: Period) -> Columns:
    """Read a table of a period as it is now. table: of `TABLES`."""
    names: dict[str, int] = {}
    rows = _LOADERS[table](session, period, _Days(period), names)
    return Columns(tuple(names), in_order(rows))


class _Days:
    """The days of a period, by the moments at which each ends at the site."""

    def __init__(self, period: Period) -> None:
        self._first = period.first
        self._ends = [
            midnight(period.first + timedelta(days=number), period.zone).timestamp()
            for number in range(1, period.days + 1)
        ]

    def of(self, moments: Sequence[datetime]) -> np.ndarray:
        """The days of some moments, as ordinals."""
        numbers = np.searchsorted(self._ends, [at.timestamp() for at in moments], side="right")
        return numbers + self._first.toordinal()


#: The ensemble that scored an image first.
_FIRST_SCORE = aliased(Score)
FIRST_VERSION = (
    select(_FIRST_SCORE.ensemble_version)
    .where(_FIRST_SCORE.image_id == Image.id)
    .order_by(_FIRST_SCORE.scored_at, _FIRST_SCORE.id)
    .limit(1)
    .correlate(Image)
    .scalar_subquery()
)


def _films(session: Session, period: Period, days: _Days, names: dict[str, int]) -> Rows:
    query = (
        select(
            Image.received_at,
            Image.state,
            Image.code,
            *SCANNER,
            Study.flagged,
            Study.probability,
            func.min(Score.scored_at),
            FIRST_VERSION,
        )
        .join(Study, Image.study_id == Study.id)
        .outerjoin(Score, Score.image_id == Image.id)
        .where(Image.received_at >= period.start, Image.received_at < period.end)
        .group_by(Image.id, Study.id)
    )
    rows = session.execute(query).all()
    films = np.zeros(len(rows), FILM)
    if not rows:
        return films
    arrived, states, codes, makers, models, stations, flagged, scores, scored, versions = zip(
        *rows, strict=True
    )
    films["day"] = days.of(arrived)
    number_of = {state: number for number, state in enumerate(STATES)}
    films["state"] = [number_of[state] for state in states]
    films["code"] = numbered(names, lambda code: None if code is None else code.value, codes)
    scanners = zip(makers, models, stations, strict=True)
    films["scanner"] = numbered(names, lambda scanner: scanner_name(*scanner), scanners)
    films["flagged"] = flagged
    films["scored"] = [score is not None for score in scores]
    films["seconds"] = _seconds(arrived, scored)
    films["version"] = numbered(names, _named, versions)
    return films


def _exposures(session: Session, period: Period, days: _Days, names: dict[str, int]) -> Rows:
    query = select(Image.received_at, *SCANNER, *MEANS).where(
        Image.received_at >= period.start, Image.received_at < period.end
    )
    rows = session.execute(query).all()
    exposures = np.zeros(len(rows), EXPOSURE)
    if rows:
        arrived, makers, models, stations, *means = zip(*rows, strict=True)
        exposures["day"] = days.of(arrived)
        scanners = zip(makers, models, stations, strict=True)
        exposures["scanner"] = numbered(names, lambda each: scanner_name(*each), scanners)
        for column, values in zip(MEANS, means, strict=True):
            exposures[column.key] = np.array(values, dtype=np.float64)
    return exposures


def _scores(session: Session, period: Period, days: _Days, names: dict[str, int]) -> Rows:
    query = (
        select(Image.received_at, *SCANNER, Score.ensemble_version, Score.probability)
        .join(Score, Score.image_id == Image.id)
        .where(Image.received_at >= period.start, Image.received_at < period.end, score_counts())
        # The reference is of the first population.
        .where(Score.population.is_(None))
    )
    rows = session.execute(query).all()
    scores = np.zeros(len(rows), SCORE)
    if rows:
        arrived, makers, models, stations, versions, probabilities = zip(*rows, strict=True)
        scores["day"] = days.of(arrived)
        scanners = zip(makers, models, stations, strict=True)
        scores["scanner"] = numbered(names, lambda scanner: scanner_name(*scanner), scanners)
        scores["version"] = numbered(names, str, versions)
        scores["probability"] = probabilities
    return scores


def _named(name: str | None) -> str | None:
    return name


def _studies(session: Session, period: Period, days: _Days, names: dict[str, int]) -> Rows:
    # Whoever reads elsewhere is none of the readers whose times are told.
    read_here = case((is_read_here(), Study.read_at))
    columns = (Study.received_at, Study.flagged, Study.probability, read_here)
    ranked_by = (Study.threshold_version, Study.ensemble_version)
    query = select(*columns, Study.prior_since, *ranked_by).where(
        Study.received_at >= period.start,
        Study.received_at < period.end,
        # A study is empty after its only image, refused, turned out to belong to another one.
        Study.images.any(),
    )
    rows = session.execute(query).all()
    studies = np.zeros(len(rows), STUDY)
    if rows:
        arrived, flagged, scores, read, priors, thresholds, versions = zip(*rows, strict=True)
        studies["day"] = days.of(arrived)
        studies["flagged"] = flagged
        studies["scored"] = [score is not None for score in scores]
        studies["seconds"] = _seconds(arrived, read)
        studies["prior"] = [since is not None for since in priors]
        studies["threshold"] = [version or 0 for version in thresholds]
        studies["version"] = numbered(names, _named, versions)
    return studies


def _opinions(session: Session, period: Period, days: _Days, names: dict[str, int]) -> Rows:
    in_period = (Study.received_at >= period.start) & (Study.received_at < period.end)
    latest = (
        select(func.max(Verdict.id).label("id"))
        .join(Study, Verdict.study_id == Study.id)
        .where(in_period)
        .group_by(Verdict.study_id)
        .subquery()
    )
    findings = dict(
        session.execute(
            select(Verdict.study_id, Verdict.finding).join(latest, Verdict.id == latest.c.id)
        ).all()
    )
    blind = set(
        session.scalars(
            select(Verdict.study_id).join(latest, Verdict.id == latest.c.id).where(Verdict.blind)
        )
    )
    query = (
        select(
            Study.id,
            Study.received_at,
            Score.ensemble_version,
            func.max(Score.probability),
            func.max(case((Score.probability >= counting_threshold(), 1), else_=0)),
            func.max(counting_threshold_version()),
        )
        .join(Image, Image.study_id == Study.id)
        .join(Score, Score.image_id == Image.id)
        .where(in_period, score_counts())
        # With the time of arrival, which the study decides, SQLite begins at the period's studies,
        # and not at all scores that are kept.
        .group_by(Study.id, Study.received_at, Score.ensemble_version)
    )
    rows = session.execute(query).all()
    opinions = np.zeros(len(rows), OPINION)
    if rows:
        studies, arrived, versions, probabilities, flagged, thresholds = zip(*rows, strict=True)
        number_of: dict[Any, int] = {finding: number for number, finding in enumerate(FINDINGS)}
        opinions["day"] = days.of(arrived)
        opinions["version"] = numbered(names, str, versions)
        opinions["probability"] = probabilities
        opinions["flagged"] = flagged
        opinions["threshold"] = thresholds
        opinions["finding"] = [number_of.get(findings.get(study), NONE) for study in studies]
        opinions["blind"] = [study in blind for study in studies]
    return opinions


def _ignored(session: Session, period: Period, days: _Days, _names: dict[str, int]) -> Rows:
    query = select(IgnoredFile.arrived_at).where(
        IgnoredFile.arrived_at >= period.start, IgnoredFile.arrived_at < period.end
    )
    moments = session.scalars(query).all()
    ignored = np.zeros(len(moments), IGNORED)
    if moments:
        ignored["day"] = days.of(moments)
    return ignored


_LOADERS: dict[str, Callable[[Session, Period, _Days, dict[str, int]], Rows]] = {
    "films": _films,
    "studies": _studies,
    "ignored": _ignored,
    "opinions": _opinions,
    "scores": _scores,
    "exposures": _exposures,
}


def _seconds(starts: Iterable[datetime], ends: Iterable[datetime | None]) -> list[float]:
    """Seconds between moments; NaN where the second is still to come."""
    return [
        np.nan if end is None else (end - start).total_seconds()
        for start, end in zip(starts, ends, strict=True)
    ]


def first_day(session: Session, zone: ZoneInfo) -> date | None:
    """The day of the site on which its first film came in."""
    first = session.scalar(select(func.min(Image.received_at)))
    return None if first is None else first.astimezone(zone).date()
