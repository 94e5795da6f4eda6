"""Inbox issues, as the ingester last reported them. The caller owns the transaction."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.disclosures import OfFile
from db.tables import InboxIssueRow
from readfirst.inbox_issues import InboxIssue, InboxIssueCode

#: Asked with each list, so it is put together once.
_ALL = select(InboxIssueRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxIssueRecord(OfFile):
    """One thing in the inbox that cannot be taken, and since when; `.` is the inbox itself."""

    relative_path: str
    code: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class InboxSummary:
    """The issues without the names of files. gone: sentences, where the inbox itself is away."""

    left: int
    gone: tuple[str, ...]


def replace_inbox_issues(
    session: Session, issues: AbstractSet[InboxIssue], now: datetime
) -> AbstractSet[InboxIssue]:
    """Let these be the issues: old ones go, those that stay keep their time. Returns the new."""
    known = {
        InboxIssue(InboxIssueCode(row.code), row.relative_path, row.detail): row.id
        for row in session.scalars(select(InboxIssueRow))
    }
    gone = [number for issue, number in known.items() if issue not in issues]
    if gone:
        session.execute(delete(InboxIssueRow).where(InboxIssueRow.id.in_(gone)))
    new = issues - known.keys()
    session.add_all(
        InboxIssueRow(
            code=issue.code, relative_path=issue.relative_path, detail=issue.detail, since=now
        )
        for issue in new
    )
    return new


def inbox_issues(session: Session) -> list[InboxIssueRecord]:
    """Return the issues, those of the inbox itself first, then by path."""
    rows = session.scalars(
        select(InboxIssueRow).order_by(InboxIssueRow.relative_path, InboxIssueRow.id)
    )
    return [
        InboxIssueRecord(
            relative_path=row.relative_path,
            code=row.code,
            reason=InboxIssue(InboxIssueCode(row.code), row.relative_path, row.detail).reason,
            since=row.since,
        )
        for row in rows
    ]


def inbox_summary(session: Session) -> InboxSummary:
    """Count the issues; with the sentences of those that are the inbox itself."""
    rows = session.scalars(_ALL).all()
    gone = [row for row in rows if row.code == InboxIssueCode.INBOX_GONE]
    return InboxSummary(
        len(rows),
        tuple(
            InboxIssue(InboxIssueCode(row.code), row.relative_path, row.detail).reason
            for row in gone
        ),
    )
