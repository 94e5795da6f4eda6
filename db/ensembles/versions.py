"""The ensemble versions that this site knows, and the one that is active."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ensembles.thresholds import add_first_thresholds, first_thresholds_of_others
from db.ensembles.unknown_ensemble import unknown_ensemble
from db.tables import EnsembleVersion
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext


@dataclass(frozen=True, slots=True)
class EnsembleFacts:
    """The properties of an ensemble that the database keeps."""

    version: str
    #: That of its manifest.
    threshold: float
    preprocessing_version: str
    #: Share of pneumonia that its probabilities presuppose; None if nobody knows.
    prevalence: float | None = None
    #: Thresholds of other populations than its first, by name.
    others: Mapping[str, float] = field(default_factory=dict)


def active_ensemble(session: Session) -> EnsembleVersion | None:
    """The ensemble that scores now."""
    return session.scalar(select(EnsembleVersion).where(EnsembleVersion.active))


def required_active(session: Session) -> EnsembleVersion:
    """The ensemble that scores now. Raises Misconfigured before the first film."""
    active = active_ensemble(session)
    if active is None:
        raise Misconfigured(gettext("No ensemble is active yet: the first film makes one so."))
    return active


def named_or_active(session: Session, version: str | None) -> EnsembleVersion:
    """The ensemble of a version, or the active one without. Raises Misconfigured without any."""
    return required_active(session) if version is None else registered(session, version)


def register(session: Session, facts: EnsembleFacts, at: datetime) -> EnsembleVersion:
    """Make a version known. The first one ever becomes active by itself.

    Raises Misconfigured if the version is known with another threshold or preprocessing: a
    version names one ensemble for ever, since scores are kept under it.
    """
    known = session.get(EnsembleVersion, facts.version)
    if known is not None:
        kept = EnsembleFacts(
            known.version,
            known.threshold,
            known.preprocessing_version,
            known.prevalence,
            first_thresholds_of_others(session, known.version),
        )
        if kept != facts:
            raise Misconfigured(
                gettext(
                    "Ensemble {version} on disk differs from the one that scored here under this "
                    "version; give the new one a version of its own."
                ).format(version=facts.version)
            )
        return known
    first = active_ensemble(session) is None
    ensemble = EnsembleVersion(
        version=facts.version,
        threshold=facts.threshold,
        preprocessing_version=facts.preprocessing_version,
        prevalence=facts.prevalence,
        registered_at=at,
        active=first,
        activated_at=at if first else None,
    )
    session.add(ensemble)
    session.flush()
    add_first_thresholds(session, ensemble, facts.others, at)
    return ensemble


def promote(session: Session, version: str, at: datetime) -> EnsembleVersion:
    """Make a registered version the active one; from now on new images are scored by it."""
    ensemble = registered(session, version)
    previous = active_ensemble(session)
    if previous is not None and previous is not ensemble:
        previous.active, previous.retired_at = False, at
        session.flush()
    ensemble.active, ensemble.activated_at, ensemble.retired_at = True, at, None
    leave_shadow(ensemble)
    session.flush()
    return ensemble


def previous_ensemble(session: Session) -> EnsembleVersion:
    """The ensemble that was active before the active one. Raises Misconfigured if none was."""
    query = (
        select(EnsembleVersion)
        .where(~EnsembleVersion.active, EnsembleVersion.activated_at.is_not(None))
        .order_by(EnsembleVersion.activated_at.desc(), EnsembleVersion.version)
        .limit(1)
    )
    previous = session.scalar(query)
    if previous is None:
        raise Misconfigured(
            gettext("No other ensemble was active before: there is none to go back to.")
        )
    return previous


def retire(session: Session, version: str, at: datetime) -> EnsembleVersion:
    """Put an ensemble away. Its scores stay. Raises Misconfigured for the active one."""
    ensemble = registered(session, version)
    if ensemble.active:
        raise Misconfigured(
            gettext(
                "Ensemble {version} is the active one. Promote another one first, or go back with "
                "`readfirst models rollback`."
            ).format(version=version)
        )
    ensemble.retired_at = ensemble.retired_at or at
    leave_shadow(ensemble)
    session.flush()
    return ensemble


def leave_shadow(ensemble: EnsembleVersion) -> None:
    """Let an ensemble score in shadow no more. The sweep removes what was queued for it."""
    ensemble.shadow_since = ensemble.shadow_queues_below = None
    ensemble.shadow_error = ensemble.shadow_paused_until = None


def known_ensembles(session: Session) -> dict[str, EnsembleVersion]:
    """The ensembles that the site knows, by version."""
    return {row.version: row for row in session.scalars(select(EnsembleVersion))}


def registered(session: Session, version: str) -> EnsembleVersion:
    """The ensemble of this version. Raises Misconfigured if the site does not know it."""
    ensemble = session.get(EnsembleVersion, version)
    if ensemble is None:
        raise unknown_ensemble(version)
    return ensemble
