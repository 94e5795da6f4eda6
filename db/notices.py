"""What the ingester last said of the inbox. The caller owns the transaction."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.tables import InboxNotice
from readfirst.notices import Notice, NoticeCode


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """One thing in the inbox that cannot be taken, and since when; `.` is the inbox itself."""

    relative_path: str
    code: str
    reason: str
    since: datetime


def put_up(session: Session, notices: AbstractSet[Notice], now: datetime) -> AbstractSet[Notice]:
    """Let these be the notices: old ones go, those that stay keep their time. Returns the new."""
    held = {
        Notice(NoticeCode(row.code), row.relative_path, row.detail): row.id
        for row in session.scalars(select(InboxNotice))
    }
    gone = [number for notice, number in held.items() if notice not in notices]
    if gone:
        session.execute(delete(InboxNotice).where(InboxNotice.id.in_(gone)))
    new = notices - held.keys()
    session.add_all(
        InboxNotice(code=one.code, relative_path=one.relative_path, detail=one.detail, since=now)
        for one in new
    )
    return new


def inbox_notices(session: Session) -> list[NoticeView]:
    """What cannot be taken, the inbox itself first, then by path."""
    rows = session.scalars(select(InboxNotice).order_by(InboxNotice.relative_path, InboxNotice.id))
    return [
        NoticeView(
            relative_path=row.relative_path,
            code=row.code,
            reason=Notice(NoticeCode(row.code), row.relative_path, row.detail).reason,
            since=row.since,
        )
        for row in rows
    ]
