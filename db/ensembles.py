"""The ensemble versions that this site knows, and the one that is active."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import EnsembleVersion
from readfirst.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class EnsembleFacts:
    """The properties of an ensemble that the database keeps."""

    version: str
    threshold: float
    preprocessing_version: str
    #: Share of pneumonia that its probabilities presuppose; None if nobody knows.
    prevalence: float | None = None


def active_ensemble(session: Session) -> EnsembleVersion | None:
    """The ensemble that scores now."""
    return session.scalar(select(EnsembleVersion).where(EnsembleVersion.active))


def register(session: Session, facts: EnsembleFacts, at: datetime) -> EnsembleVersion:
    """Make a version known. The first one ever becomes active by itself.

    Raises Misconfigured if the version is known with another threshold or preprocessing: a
    version names one ensemble for ever, since scores are kept under it.
    """
    known = session.get(EnsembleVersion, facts.version)
    if known is not None:
        kept = EnsembleFacts(
            known.version, known.threshold, known.preprocessing_version, known.prevalence
        )
        if kept != facts:
            raise Misconfigured(
                f"Ensemble {facts.version} on disk differs from the one that scored here under "
                "this version; give the new one a version of its own."
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
    return ensemble


def promote(session: Session, version: str, at: datetime) -> EnsembleVersion:
    """Make a registered version the active one; from now on new images are scored by it."""
    ensemble = session.get(EnsembleVersion, version)
    if ensemble is None:
        raise Misconfigured(f"Ensemble {version} is not registered.")
    previous = active_ensemble(session)
    if previous is not None and previous is not ensemble:
        previous.active = False
        session.flush()
    ensemble.active, ensemble.activated_at = True, at
    session.flush()
    return ensemble
