"""The tables of the archives that films are fetched from, and of what was fetched."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import UID, Base, Leased, text_enum
from readfirst.pacs.fetches import FetchPurpose, FetchState
from readfirst.pacs.source import Retrieval

RETRIEVAL = text_enum(Retrieval)
PURPOSE = text_enum(FetchPurpose)
STATE = text_enum(FetchState)


class SourceRow(Leased):
    """A PACS (`readfirst.pacs.source.PacsSource`). Whoever polls it holds the lease."""

    __tablename__ = "sources"

    name: Mapped[str] = mapped_column(String(64), unique=True)
    retrieval: Mapped[Retrieval] = mapped_column(RETRIEVAL)
    host: Mapped[str | None] = mapped_column(String(255))
    port: Mapped[int | None]
    ae_title: Mapped[str | None] = mapped_column(String(16))
    calling_ae_title: Mapped[str | None] = mapped_column(String(16))
    url: Mapped[str | None] = mapped_column(Text)
    token_file: Mapped[str | None] = mapped_column(Text)
    tls: Mapped[bool] = mapped_column(default=False, server_default=false())
    tls_ca: Mapped[str | None] = mapped_column(Text)
    tls_certificate: Mapped[str | None] = mapped_column(Text)
    tls_key: Mapped[str | None] = mapped_column(Text)
    polled: Mapped[bool] = mapped_column(default=False, server_default=false())
    gives_priors: Mapped[bool] = mapped_column(default=False, server_default=false())
    added_at: Mapped[datetime]
    #: When the last poll that succeeded began; the window of the next one begins before.
    polled_at: Mapped[datetime | None]
    #: Since when it does not answer, and why; None while it does.
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    #: When it last answered.
    answered_at: Mapped[datetime | None]
    #: The next study that nobody waits for is fetched no sooner.
    paced_until: Mapped[datetime | None]


class FetchRow(Leased):
    """A study that a PACS has, and whether it was fetched. Whoever fetches it holds the lease."""

    __tablename__ = "fetches"

    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    study_instance_uid: Mapped[str] = mapped_column(UID)
    purpose: Mapped[FetchPurpose] = mapped_column(PURPOSE)
    state: Mapped[FetchState] = mapped_column(STATE)
    found_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    #: Number of Study Related Instances, as the PACS said last; and as it had said when the study
    #: was last fetched.
    instances: Mapped[int | None]
    fetched_instances: Mapped[int | None]
    #: The images of films that the PACS had when the study was last fetched, and how many came with
    #: a warning.
    images: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)
    #: A sentence, where something went wrong.
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("source_id", "study_instance_uid"),
        Index("ix_fetches_source_id_state", "source_id", "state", "id"),
        Index("ix_fetches_study_instance_uid", "study_instance_uid"),
    )


class PriorQuery(Base):
    """A study whose patient's earlier films a source was asked for; it is asked once."""

    __tablename__ = "prior_queries"

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    asked_at: Mapped[datetime]
    #: How many of them were to be fetched.
    priors: Mapped[int]

    __table_args__ = (
        UniqueConstraint("study_id", "source_id"),
        Index("ix_prior_queries_source_id_asked_at", "source_id", "asked_at"),
    )
