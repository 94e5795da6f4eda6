"""The tables. Times are UTC; DICOM attributes bear their keywords in snake case."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from db.searching import SEARCHED, search_text
from readfirst.domain import FileKind, ImageState, Urgency
from readfirst.marks import Mark, MarkCode
from readfirst.refusals import RefusalCode

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: PS3.5 6.2: a UI value has at most 64 characters.
UID = String(64)
SHA256 = String(64)


def _values(kind: type[StrEnum]) -> list[str]:
    """Enumerations are stored by value, as text."""
    return [member.value for member in kind]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class MarkList(TypeDecorator[tuple[Mark, ...]]):
    """Marks as JSON: `[{"code": …, "reason": …}]`."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[Mark, ...] | None, _dialect: Dialect) -> Any:
        """Code and reason of each."""
        return [{"code": mark.code.value, "reason": mark.reason} for mark in value or ()]

    def process_result_value(self, value: Any, _dialect: Dialect) -> tuple[Mark, ...]:
        """The marks again."""
        return tuple(Mark(MarkCode(mark["code"]), mark["reason"]) for mark in value or ())


class Base(DeclarativeBase):
    """Declarative base with names for every constraint, so that migrations can drop them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this attribute
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        dict[str, float]: JSON(),
        tuple[Mark, ...]: MarkList(),
        FileKind: Enum(FileKind, native_enum=False, length=16, values_callable=_values),
        ImageState: Enum(ImageState, native_enum=False, length=16, values_callable=_values),
        RefusalCode: Enum(RefusalCode, native_enum=False, length=64, values_callable=_values),
    }


def _as_received(context: Any) -> datetime:
    """A new study has had no file since its first."""
    received_at: datetime = context.get_current_parameters()["received_at"]
    return received_at


def _as_searched(context: Any) -> str:
    """What a text is looked for in, of a new study."""
    return search_text(context.get_current_parameters())


#: Columns of the reading order, and those of the others, each with the id behind it.
READING_ORDER = ("urgency", "reading_key", "id")
SORTED_BY = ("received_at", "study_datetime", "probability", "patient_name")


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of some rows."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Study(Base):
    """What a radiologist reads as one: it ranks as its most suspicious scored image."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    #: What the files say, where another patient's study had that UID first; then
    #: `study_instance_uid` is one made for this study.
    shared_study_instance_uid: Mapped[str | None] = mapped_column(UID, index=True)
    patient_id: Mapped[str | None] = mapped_column(Text, index=True)
    issuer_of_patient_id: Mapped[str | None] = mapped_column(Text)
    patient_name: Mapped[str | None] = mapped_column(Text)
    patient_birth_date: Mapped[date | None]
    patient_sex: Mapped[str | None] = mapped_column(Text)
    patient_age: Mapped[str | None] = mapped_column(Text)
    accession_number: Mapped[str | None] = mapped_column(Text, index=True)
    referring_physician_name: Mapped[str | None] = mapped_column(Text)
    institution_name: Mapped[str | None] = mapped_column(Text)
    study_datetime: Mapped[datetime | None]
    received_at: Mapped[datetime]
    #: When a file of the study last came in, new or not.
    last_received_at: Mapped[datetime] = mapped_column(default=_as_received)
    #: `Urgency.STAT` or `Urgency.LIVE`: the first column of the reading order.
    urgency: Mapped[int]
    #: Of the most suspicious image; None while nothing of the study is scored.
    probability: Mapped[float | None]
    flagged: Mapped[bool] = mapped_column(default=False)
    ensemble_version: Mapped[str | None] = mapped_column(String(64))
    #: `readfirst.priority.reading_key`: earliest first, behind STAT.
    reading_key: Mapped[datetime]
    #: When somebody gave a verdict that still stands; None: unread, or again so.
    read_at: Mapped[datetime | None]
    #: What a text is looked for in (`db.searching`).
    search_text: Mapped[str] = mapped_column(Text, default=_as_searched)

    images: Mapped[list["Image"]] = relationship(back_populates="study", order_by="Image.id")

    @property
    def stat(self) -> bool:
        """Whether the study was ordered as STAT."""
        return self.urgency == Urgency.STAT

    __table_args__ = (
        Index("ix_studies_reading_order", *READING_ORDER),
        _partial("ix_studies_flagged_order", *READING_ORDER, where="flagged"),
        _partial("ix_studies_unread_order", *READING_ORDER, where="read_at IS NULL"),
        _partial(
            "ix_studies_unread_flagged_order", *READING_ORDER, where="read_at IS NULL AND flagged"
        ),
        Index("ix_studies_institution_order", "institution_name", *READING_ORDER),
        *(Index(f"ix_studies_{name}_order", name, "id") for name in SORTED_BY),
        *(
            _partial(f"ix_studies_unread_{name}_order", name, "id", where="read_at IS NULL")
            for name in SORTED_BY
        ),
        Index("ix_studies_search_text", "search_text", "id"),
    )


@event.listens_for(Study, "before_update")
def _search_text_follows(_mapper: Any, _connection: Connection, study: Study) -> None:
    study.search_text = search_text({name: getattr(study, name) for name in SEARCHED})


class Image(Base):
    """One film, from its arrival to its score or refusal."""

    __tablename__ = "images"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    #: Of the original, under which it is kept in the store.
    sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    kind: Mapped[FileKind | None]
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    series_instance_uid: Mapped[str | None] = mapped_column(UID)
    transfer_syntax_uid: Mapped[str | None] = mapped_column(UID)
    modality: Mapped[str | None] = mapped_column(Text)
    view_position: Mapped[str | None] = mapped_column(Text)
    body_part_examined: Mapped[str | None] = mapped_column(Text)
    acquisition_datetime: Mapped[datetime | None]
    manufacturer: Mapped[str | None] = mapped_column(Text)
    manufacturer_model_name: Mapped[str | None] = mapped_column(Text)
    station_name: Mapped[str | None] = mapped_column(Text)
    #: In mAs, and IEC 62494-1, as the header says them.
    exposure: Mapped[float | None]
    exposure_index: Mapped[float | None]
    deviation_index: Mapped[float | None]
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    state: Mapped[ImageState]
    code: Mapped[RefusalCode | None]
    reason: Mapped[str | None] = mapped_column(Text)
    #: Why its score is not validated, as decided when it came in; none if it is.
    marks: Mapped[tuple[Mark, ...]] = mapped_column(default=())
    urgency: Mapped[int]
    #: Of the model-ready image that is kept; None before there is one.
    preprocessing_version: Mapped[str | None] = mapped_column(String(16))
    #: Of that image, 0 to 255; None for those made before it was measured.
    median_grey: Mapped[float | None]
    #: Share of its pixels that are black or white.
    clipped_share: Mapped[float | None]
    received_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    scored_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    #: When the site's retention let the original go; None while it is kept.
    original_removed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    #: A worker that claimed the image holds it until then, by this token.
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(32))

    study: Mapped[Study] = relationship(back_populates="images")
    scores: Mapped[list["Score"]] = relationship(back_populates="image", order_by="Score.id")
    arrivals: Mapped[list["Arrival"]] = relationship(back_populates="image", order_by="Arrival.id")

    __table_args__ = (
        Index("ix_images_work", "state", "urgency", "id"),
        Index("ix_images_refused_at", "refused_at"),
        Index("ix_images_received_at", "received_at"),
        # One accepted image for each SOP Instance UID; refused ones may share it.
        Index(
            "uq_images_accepted_sop_instance_uid",
            "sop_instance_uid",
            unique=True,
            sqlite_where=text("state != 'refused'"),
            postgresql_where=text("state != 'refused'"),
        ),
    )


class Arrival(Base):
    """One file that came in, new or not. Nothing that arrives goes without a row here."""

    __tablename__ = "arrivals"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Names the arrival before it has a row, so that a crash in between repeats nothing.
    claim_id: Mapped[str] = mapped_column(String(32), unique=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    relative_path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    size: Mapped[int]
    arrived_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(32))

    image: Mapped[Image] = relationship(back_populates="arrivals")


class Score(Base):
    """What one ensemble version says of one image. Never changed, never removed."""

    __tablename__ = "scores"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float]
    members: Mapped[dict[str, float]]
    threshold: Mapped[float]
    flagged: Mapped[bool]
    scored_at: Mapped[datetime]

    image: Mapped[Image] = relationship(back_populates="scores")

    __table_args__ = (
        UniqueConstraint("image_id", "ensemble_version"),
        Index("ix_scores_scored_at", "scored_at"),
    )


class Ensemble(Base):
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


class Event(Base):
    """What happened to a study, and when. Never changed, never removed."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"))
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class InboxNotice(Base):
    """Something in the inbox that cannot be taken, as the ingester saw it last."""

    __tablename__ = "inbox_notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: A `NoticeCode`.
    code: Mapped[str] = mapped_column(String(32))
    relative_path: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]


class SetAside(Base):
    """A file that came in and is no film, as the index of an export: kept, and never scored."""

    __tablename__ = "set_aside"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: As that of an arrival.
    claim_id: Mapped[str] = mapped_column(String(32), unique=True)
    relative_path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    size: Mapped[int]
    arrived_at: Mapped[datetime]
    code: Mapped[RefusalCode]
    reason: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_set_aside_arrived_at", "arrived_at"),)


class Announcement(Base):
    """A flagged study of which another system is told by webhook."""

    __tablename__ = "announcements"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The same at every attempt, so that the receiver knows a repetition.
    key: Mapped[str] = mapped_column(String(32), unique=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float]
    flagged_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    #: Not before then; a worker that delivers it holds it by this time.
    next_attempt_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_announcements_waiting",
            "next_attempt_at",
            "id",
            sqlite_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
        ),
    )
