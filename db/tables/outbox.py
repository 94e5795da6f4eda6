"""The tables of what leaves: messages, and results on their way to other systems."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import UID, Base, Leased, partial_index, text_enum
from readfirst.destinations.forms import Studies
from readfirst.destinations.states import SendingState

STUDIES = text_enum(Studies)
STATE = text_enum(SendingState)


class OutboxMessage(Leased):
    """A message to another system or to people: of a flagged study, escalated ones, or a night."""

    __tablename__ = "announcements"

    #: The same at every attempt, so that the receiver knows a repetition.
    key: Mapped[str] = mapped_column(String(32), unique=True)
    #: `webhook` or `mail` (`db.lifecycle.outbox.Channel`).
    channel: Mapped[str] = mapped_column(String(16), default="webhook", server_default="webhook")
    #: Of escalated studies, which it tells of; None for a flagged one.
    batch: Mapped[str | None] = mapped_column(String(32))
    #: Of what a night changed; None for studies.
    night_id: Mapped[int | None] = mapped_column(ForeignKey("nights.id"))
    #: The flagged study, and the score that decided it; None for escalated ones.
    study_id: Mapped[int | None] = mapped_column(ForeignKey("studies.id"))
    ensemble_version: Mapped[str | None] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float | None]
    #: When what it tells of happened.
    flagged_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        partial_index(
            "ix_announcements_waiting",
            "lease_until",
            "id",
            where="delivered_at IS NULL AND given_up_at IS NULL",
        ),
    )


class Destination(Base):
    """Another system that gets results. Of secrets, the paths of their files alone are kept."""

    __tablename__ = "destinations"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    #: As `dicom`: the name of a kind of `results.destinations`, which knows what `address` holds.
    kind: Mapped[str] = mapped_column(String(16))
    address: Mapped[dict[str, Any]]
    #: The values of `readfirst.destinations.forms.Form`.
    forms: Mapped[list[str]] = mapped_column(JSON)
    studies: Mapped[Studies] = mapped_column(STUDIES)
    #: A `readfirst.destinations.rules.Rule`; empty: of every study.
    rule: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict, server_default="{}")
    enabled: Mapped[bool]
    changed_at: Mapped[datetime]
    #: None where nobody has to log in.
    changed_by: Mapped[str | None] = mapped_column(String(64))
    #: It did not answer, and is not tried before then.
    rests_until: Mapped[datetime | None]


class OutgoingResult(Leased):
    """A form of a study's result, for one destination. What it says is made when it is sent."""

    __tablename__ = "outgoing_results"

    destination_id: Mapped[int] = mapped_column(ForeignKey("destinations.id"))
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    form: Mapped[str] = mapped_column(String(16))
    state: Mapped[SendingState] = mapped_column(STATE)
    #: When the occasion for it was, or somebody wanted it to be sent again.
    wanted_at: Mapped[datetime]
    #: When it came into its state, if that is not `waiting`.
    ended_at: Mapped[datetime | None]
    #: Of the last attempt that failed, in plain words; or why there is no such result.
    reason: Mapped[str | None] = mapped_column(Text)
    #: Names what was sent, as SOP Instance UIDs.
    objects: Mapped[list[str]] = mapped_column(JSON)
    #: Of the storage commitment that the destination was last asked for.
    transaction_uid: Mapped[str | None] = mapped_column(UID)

    __table_args__ = (
        partial_index(
            "ix_outgoing_results_waiting", "lease_until", "id", where="state = 'waiting'"
        ),
        Index("ix_outgoing_results_destination_id_state", "destination_id", "state", "ended_at"),
        Index("ix_outgoing_results_study_id", "study_id"),
        Index("ix_outgoing_results_transaction_uid", "transaction_uid"),
    )
