"""The thresholds of ensembles: their versions, and which of them is active.

Each ensemble comes with one, version 1. A site may choose others; exactly one is active. The caller
owns the transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.ensembles.unknown_ensemble import unknown_ensemble
from db.tables import EVERYBODY, EnsembleVersion, Threshold
from readfirst.domain import ImageScore
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.statistics.threshold_methods import ThresholdMethod


@dataclass(frozen=True, slots=True)
class ActiveThreshold:
    """The threshold by which the scores of an ensemble count. version: of that ensemble's."""

    value: float
    version: int


@dataclass(frozen=True, slots=True)
class ActiveThresholds:
    """The active thresholds. change: the number of the last change at the site.

    by_ensemble: those of first populations. by_population: those of others, by ensemble and name.
    """

    by_ensemble: Mapping[str, ActiveThreshold]
    change: int
    by_population: Mapping[tuple[str, str], ActiveThreshold] = field(default_factory=dict)

    def of(self, ensemble_version: str, population: str | None) -> ActiveThreshold | None:
        """The threshold of an ensemble for a population (None: its first); None if unknown."""
        if population is None:
            return self.by_ensemble.get(ensemble_version)
        return self.by_population.get((ensemble_version, population))

    def for_score(self, ensemble_version: str, score: ImageScore) -> ActiveThreshold:
        """The threshold of a score that an ensemble gives now. Raises Misconfigured if unknown."""
        threshold = self.of(ensemble_version, score.population)
        if threshold is None:
            name = score.population or EVERYBODY
            text = gettext("Ensemble {version} has no threshold for {population} here.")
            raise Misconfigured(text.format(version=ensemble_version, population=repr(name)))
        return threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRecord:
    """A version of a threshold. value: as the ensemble gives probabilities."""

    ensemble_version: str
    population: str
    version: int
    value: float
    method: ThresholdMethod
    chosen_by: str | None
    created_at: datetime
    active: bool
    activated_at: datetime | None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def active_thresholds(session: Session) -> ActiveThresholds:
    """The thresholds that count now."""
    rows = session.scalars(select(Threshold).where(Threshold.active)).all()
    active = {
        (row.ensemble_version, row.population): ActiveThreshold(row.value, row.version)
        for row in rows
    }
    return ActiveThresholds(
        {ensemble: each for (ensemble, name), each in active.items() if name == EVERYBODY},
        # The last change made one active, and nothing has changed that since.
        max((row.change for row in rows), default=0),
        {key: each for key, each in active.items() if key[1] != EVERYBODY},
    )


def thresholds_of(session: Session, ensemble_version: str) -> list[ThresholdRecord]:
    """Every threshold of an ensemble for its first population, the latest version first."""
    query = _of(ensemble_version).order_by(Threshold.version.desc())
    return [_record(row) for row in session.scalars(query)]


def thresholds_of_others(session: Session, ensemble_version: str) -> list[ThresholdRecord]:
    """The thresholds that an ensemble brings for other populations than its first, by name."""
    query = (
        select(Threshold)
        .where(Threshold.ensemble_version == ensemble_version, Threshold.population != EVERYBODY)
        .order_by(Threshold.population, Threshold.version.desc())
    )
    return [_record(row) for row in session.scalars(query)]


def add_first_thresholds(
    session: Session, ensemble: EnsembleVersion, others: Mapping[str, float], at: datetime
) -> None:
    """Let an ensemble that becomes known have the thresholds that it came with.

    others: those of other populations than its first, by name.
    """
    session.add_all(
        Threshold(
            ensemble_version=ensemble.version,
            population=population,
            version=1,
            value=value,
            method=ThresholdMethod.MANIFEST,
            created_at=at,
            active=True,
            activated_at=at,
        )
        for population, value in {EVERYBODY: ensemble.threshold, **others}.items()
    )
    session.flush()


def first_thresholds_of_others(session: Session, ensemble_version: str) -> dict[str, float]:
    """The thresholds with which an ensemble came for other populations, by name."""
    rows = thresholds_of_others(session, ensemble_version)
    return {row.population: row.value for row in rows if row.method is ThresholdMethod.MANIFEST}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewThreshold:
    """A threshold that somebody has chosen. evidence: as numbers, to be kept with it."""

    ensemble_version: str
    value: float
    method: ThresholdMethod
    evidence: Mapping[str, Any]
    chosen_by: str


def activate_new(session: Session, new: NewThreshold, at: datetime) -> Threshold:
    """Add a threshold with the next version, and make it the active one.

    Raises Misconfigured for an unknown ensemble, and for the value that is active already.
    """
    active = _active(session, new.ensemble_version)
    if active.value == new.value:
        raise Misconfigured(
            gettext("The threshold of ensemble {version} is that already.").format(
                version=new.ensemble_version
            )
        )
    last = select(func.max(Threshold.version)).where(
        Threshold.ensemble_version == new.ensemble_version, Threshold.population == EVERYBODY
    )
    row = Threshold(
        ensemble_version=new.ensemble_version,
        version=(session.scalar(last) or 0) + 1,
        value=new.value,
        method=new.method,
        evidence=dict(new.evidence),
        chosen_by=new.chosen_by,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return _activate(session, row, active, at)


def activate_previous(session: Session, ensemble_version: str, at: datetime) -> Threshold:
    """Make the threshold active again that was before the active one.

    Raises Misconfigured for an unknown ensemble, and if it had no other one.
    """
    active = _active(session, ensemble_version)
    previous = previous_threshold(session, ensemble_version)
    if previous is None:
        raise Misconfigured(
            gettext(
                "Ensemble {version} had no other threshold: there is none to go back to."
            ).format(version=ensemble_version)
        )
    return _activate(session, previous, active, at)


def previous_threshold(session: Session, ensemble_version: str) -> Threshold | None:
    """The threshold that was active before the active one; None if there was none."""
    query = (
        _of(ensemble_version)
        .where(~Threshold.active, Threshold.activated_at.is_not(None))
        .order_by(Threshold.change.desc(), Threshold.version.desc())
    )
    return session.scalar(query.limit(1))


def _activate(session: Session, row: Threshold, before: Threshold, at: datetime) -> Threshold:
    change = (session.scalar(select(func.max(Threshold.change))) or 0) + 1
    before.active = False
    session.flush()
    row.active, row.activated_at, row.change = True, at, change
    session.flush()
    return row


def _active(session: Session, ensemble_version: str) -> Threshold:
    # Two changes at once wait for each other, so that their numbers differ.
    list(session.scalars(select(Threshold.id).order_by(Threshold.id).with_for_update()))
    row = session.scalar(_of(ensemble_version).where(Threshold.active))
    if row is None:
        raise unknown_ensemble(ensemble_version)
    return row


def _of(ensemble_version: str) -> Select[Threshold]:
    return select(Threshold).where(
        Threshold.ensemble_version == ensemble_version, Threshold.population == EVERYBODY
    )


def _record(row: Threshold) -> ThresholdRecord:
    return ThresholdRecord(
        ensemble_version=row.ensemble_version,
        population=row.population,
        version=row.version,
        value=row.value,
        method=row.method,
        chosen_by=row.chosen_by,
        created_at=row.created_at,
        active=row.active,
        activated_at=row.activated_at,
        evidence=row.evidence,
    )
