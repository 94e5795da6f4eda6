"""The ensemble versions that are, or were, the active one: those whose scores anybody was shown."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ensembles.shadows import has_been_active
from db.tables import EnsembleVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveVersion:
    """An ensemble version.

    prevalence: that its probabilities presuppose; None if nobody knows. manifest_sha256: names its
    files; None where they came by hand or with ReadFirst.
    """

    version: str
    prevalence: float | None
    manifest_sha256: str | None


def versions_once_active(session: Session, versions: Collection[str]) -> dict[str, ActiveVersion]:
    """Return those of the versions that are or were active, by their names."""
    query = select(EnsembleVersion).where(EnsembleVersion.version.in_(versions), has_been_active())
    return {
        row.version: ActiveVersion(
            version=row.version, prevalence=row.prevalence, manifest_sha256=row.manifest_sha256
        )
        for row in session.scalars(query)
    }
