"""The table of heat maps: which are wanted, made or failed. The maps themselves are files."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Leased, text_enum
from db.tables.studies import Image
from readfirst.heat_maps import HeatMethod, HeatState


class HeatMap(Leased):
    """A heat map of one image by one ensemble version."""

    __tablename__ = "heat_maps"

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    method: Mapped[HeatMethod] = mapped_column(text_enum(HeatMethod))
    state: Mapped[HeatState] = mapped_column(text_enum(HeatState))
    #: Somebody waits for it: before those that are made for flagged films by themselves.
    requested: Mapped[bool] = mapped_column("asked")
    wanted_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    #: Why it failed, as a sentence.
    reason: Mapped[str | None] = mapped_column(Text)
    #: The part of the film that it covers, as shares of the film's sides.
    top: Mapped[float | None]
    left: Mapped[float | None]
    bottom: Mapped[float | None]
    right: Mapped[float | None]

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
