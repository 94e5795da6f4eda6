"""Searches in the audit log, by pages and as one long stream. The caller owns the transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.access.audit import AuditAction, AuditRecord, is_of_study, record_of
from db.session import Database
from db.tables import AuditEntry

#: Rows that are read at a time for a stream.
SLICE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Only lines of this account, action, time (`since` included, `until` not) and study."""

    account: str | None = None
    action: AuditAction | None = None
    since: datetime | None = None
    until: datetime | None = None
    study_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line and its number, by which the next page begins."""

    number: int
    record: AuditRecord


def search_audit(
    session: Session, which: AuditFilter, *, limit: int, before: int | None = None
) -> list[AuditLine]:
    """The latest lines first. before: only those written before the line of this number."""
    query = _filtered(which).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return [AuditLine(entry.id, record_of(entry)) for entry in session.scalars(query)]


def every_line(database: Database, which: AuditFilter) -> Iterator[AuditRecord]:
    """Every line, the latest first, a slice in memory at a time. No transaction stays open."""
    before: int | None = None
    while True:
        with database.read() as session:
            lines = search_audit(session, which, limit=SLICE, before=before)
        yield from (line.record for line in lines)
        if len(lines) < SLICE:
            return
        before = lines[-1].number


def _filtered(which: AuditFilter) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if which.account is not None:
        query = query.where(AuditEntry.account == which.account)
    if which.action is not None:
        query = query.where(AuditEntry.action == which.action)
    if which.since is not None:
        query = query.where(AuditEntry.at >= which.since)
    if which.until is not None:
        query = query.where(AuditEntry.at < which.until)
    if which.study_instance_uid is not None:
        query = query.where(is_of_study(which.study_instance_uid))
    return query
