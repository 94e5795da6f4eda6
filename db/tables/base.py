"""The base of all tables: types of columns, names of constraints, and rows that can be leased."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Enum,
    Index,
    MetaData,
    String,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from readfirst.domain import FileKind, ImageState
from readfirst.refusals import RefusalCode
from readfirst.studies.marks import Mark, MarkCode

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: PS3.5 6.2: a UI value has at most 64 characters.
UID = String(64)
SHA256 = String(64)


def text_enum(kind: type[StrEnum], length: int = 16) -> Enum:
    """The type of a column that keeps an enumeration by value, as text of at most this length."""
    return Enum(
        kind,
        native_enum=False,
        length=length,
        values_callable=lambda kind: [member.value for member in kind],
    )


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
        FileKind: text_enum(FileKind),
        ImageState: text_enum(ImageState),
        RefusalCode: text_enum(RefusalCode, 64),
    }


class Leased(Base):
    """A row that one worker at a time may hold (`db.lifecycle.lease`)."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    #: How often it was tried since it last succeeded; each counts when it begins.
    attempts: Mapped[int] = mapped_column(default=0)
    #: Of these, those that failed by what the row is about.
    failures: Mapped[int] = mapped_column(default=0)
    #: Of these, those that failed by a fault of the machine, which counts against nothing.
    excused: Mapped[int] = mapped_column(default=0)
    #: Held until then, or not tried before then.
    lease_until: Mapped[datetime | None]
    #: Of the worker that holds it; None while nobody does.
    lease_token: Mapped[str | None] = mapped_column(String(32))


def partial_index(name: str, *columns: str, where: str) -> Index:
    """An index of some rows."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
