"""The table of orders."""

from datetime import date, datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class OrderRow(Base):
    """An order of an examination, as its messages say it together; the latest word counts.

    A study belongs to it by accession number and patient (`db.ris.orders`).
    """

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    accession_number: Mapped[str] = mapped_column(Text, index=True)
    patient_id: Mapped[str | None] = mapped_column(Text)
    issuer_of_patient_id: Mapped[str | None] = mapped_column(Text)
    patient_name: Mapped[str | None] = mapped_column(Text)
    patient_birth_date: Mapped[date | None]
    placer_order_number: Mapped[str | None] = mapped_column(Text)
    filler_order_number: Mapped[str | None] = mapped_column(Text)
    #: As it was sent, as `S` or `STAT`.
    priority: Mapped[str | None] = mapped_column(Text)
    #: By the priorities that the site named when it came in.
    is_urgent: Mapped[bool]
    indication: Mapped[str | None] = mapped_column(Text)
    ward: Mapped[str | None] = mapped_column(Text)
    requested_procedure: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_orders_changed_at", "changed_at"),)
