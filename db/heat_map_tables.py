"""The table of heat maps: which are wanted, made or failed. The maps themselves are files."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables import Base, Image
from readfirst.heat import HeatMethod, HeatState


def _stored(kind: type[StrEnum]) -> Enum:
    """By value, as text."""
    return Enum(
        kind, native_enum=False, length=16, values_callable=lambda all_: [one.value for one in all_]
    )


class HeatMap(Base):
    """One heat map of one image by one ensemble version."""

    __tablename__ = "heat_maps"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    method: Mapped[HeatMethod] = mapped_column(_stored(HeatMethod))
    state: Mapped[HeatState] = mapped_column(_stored(HeatState))
    #: Somebody waits for it: before those that are made for flagged films by themselves.
    asked: Mapped[bool]
    wanted_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    #: Why it failed, as a sentence.
    reason: Mapped[str | None] = mapped_column(Text)
    #: The part of the film that it covers, as shares of the film's sides.
    top: Mapped[float | None]
    left: Mapped[float | None]
    bottom: Mapped[float | None]
    right: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(default=0)
    #: A worker that makes it holds it until then, by this token.
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(32))

    image: Mapped[Image] = relationship()

    __table_args__ = (
        UniqueConstraint("image_id", "ensemble_version", "method"),
        Index(
            "ix_heat_maps_wanted",
            "wanted_at",
            "id",
            sqlite_where=text("state = 'wanted'"),
            postgresql_where=text("state = 'wanted'"),
        ),
    )
