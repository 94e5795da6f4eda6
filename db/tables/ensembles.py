"""The ensembles that a site knows, and the images that wait for one in shadow."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, Leased
from readfirst.ensemble_states import EnsembleState

WAITING = text("given_up_at IS NULL")


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

    #: It scores in shadow: since then. Never of the active one.
    shadow_since: Mapped[datetime | None]
    #: Images of a lower number have not been queued for it yet; None: none is left.
    shadow_queues_below: Mapped[int | None]
    #: Why it scores nothing in shadow, as a sentence; not tried again before that moment.
    shadow_error: Mapped[str | None] = mapped_column(Text)
    shadow_paused_until: Mapped[datetime | None]

    @property
    def state(self) -> EnsembleState:
        """The state that its other columns say."""
        if self.active:
            return EnsembleState.ACTIVE
        if self.shadow_since is not None:
            return EnsembleState.SHADOW
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


class ShadowImage(Leased):
    """An image that an ensemble in shadow is to score; its row goes with the score.

    One that is given up stays, so that nobody tries again, and those who compare can count it.
    """

    __tablename__ = "shadow_images"

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    ensemble_version: Mapped[str] = mapped_column(String(64), ForeignKey("ensembles.version"))
    #: The networks are loaded for it from then on; once they are, it need not be due.
    due_at: Mapped[datetime]
    given_up_at: Mapped[datetime | None]
    #: Why it is given up, as a sentence.
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("image_id", "ensemble_version"),
        Index(
            "ix_shadow_images_waiting",
            "ensemble_version",
            "image_id",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
    )
