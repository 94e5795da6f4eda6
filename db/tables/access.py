"""The tables of who may look, and who did."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import SHA256, UID, Base, text_enum
from readfirst.access.roles import Role

ROLE = text_enum(Role)


class Account(Base):
    """A person or a program that may look. Disabled and never removed: the audit names it."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[Role] = mapped_column(ROLE)
    #: Argon2id; None for a program.
    password_hash: Mapped[str | None] = mapped_column(String(256))
    #: Of a program's token; None for a person.
    token_sha256: Mapped[str | None] = mapped_column(SHA256, unique=True)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    #: When it last did something, to the minute; None if never.
    last_seen_at: Mapped[datetime | None]
    #: Of the list, in the person's order: `[{"name": …, "address": …}]`.
    saved_filters: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    #: The language of the page; None for that of the site.
    language: Mapped[str | None] = mapped_column(String(8))


class LoginSession(Base):
    """A browser that is logged in, by the digest of what its cookie holds."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(index=True)
    #: When a person last did something, to the minute; a page that refreshes itself is nobody.
    used_at: Mapped[datetime]
    #: From which it was opened; None for sessions of before this was kept.
    address: Mapped[str | None] = mapped_column(String(64))

    account: Mapped[Account] = relationship()


class LoginAttempts(Base):
    """The number of log-ins that failed of late, for one account's name or from one address."""

    __tablename__ = "login_attempts"

    #: `account:` and the digest of a name, which may be a password typed into the wrong field;
    #: or `address:` and an address.
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]


class AuditEntry(Base):
    """A line of the log of who did or saw what. Never changed, never removed."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    #: None: nobody had to log in, or nobody did.
    account: Mapped[str | None] = mapped_column(String(64))
    #: None: at the command line.
    address: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(32))
    study_instance_uid: Mapped[str | None] = mapped_column(UID)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        Index("ix_audit_at", "at"),
        Index("ix_audit_study_instance_uid", "study_instance_uid"),
    )
