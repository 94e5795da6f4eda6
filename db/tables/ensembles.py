"""The ensembles that a site knows."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Index,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base
from readfirst.ensemble_states import EnsembleState


class EnsembleVersion(Base):
    """An ensemble version that has been, or is, in use at this site."""

    __tablename__ = "ensembles"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    threshold: Mapped[float]
    preprocessing_version: Mapped[str] = mapped_column(String(16))
    prevalence: Mapped[float | None]
    #: How scores and exposure are distributed on its held-out patients, as its folder says.
    reference: Mapped[dict[str, Any] | None]
    registered_at: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=False)
    activated_at: Mapped[datetime | None]
    #: It scored before, or is not to score: since then. Never of the active one.
    retired_at: Mapped[datetime | None]
    #: Names its files in the store, for the other machines of the site; None where they were laid
    #: into the folders by hand, or came with ReadFirst.
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))

    @property
    def state(self) -> EnsembleState:
        """The state that its other columns say."""
        if self.active:
            return EnsembleState.ACTIVE
        return EnsembleState.CANDIDATE if self.retired_at is None else EnsembleState.RETIRED

    __table_args__ = (
        # At most one is active.
        Index(
            "uq_ensembles_active",
            "active",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )
