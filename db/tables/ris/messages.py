"""The table of messages of the radiology information system."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import SHA256, Base


class Hl7Message(Base):
    """A message that came in: that it was taken, or itself where it could not be."""

    __tablename__ = "hl7_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Application and facility (MSH-3, MSH-4), and the control ID (MSH-10).
    sender: Mapped[str] = mapped_column(Text)
    control_id: Mapped[str] = mapped_column(Text)
    #: Of all that follows MSH.
    digest: Mapped[str] = mapped_column(SHA256)
    #: As `ORM^O01`.
    message_type: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    #: A `readfirst.ris.codes.MessageCode`, and its sentence; None of what was taken.
    code: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(Text)
    #: When somebody wanted it to be tried again; None once it was.
    retry_wanted_at: Mapped[datetime | None]
    #: The message, as long as it is not taken.
    content: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("sender", "control_id", "digest"),
        Index("ix_hl7_messages_received_at", "received_at"),
        Index("ix_hl7_messages_code", "code"),
    )
