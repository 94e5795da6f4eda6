"""The people who have a study open now, by the signs of life of their pages.

Whoever opened it first reads it: this soft claim blocks nobody. It ends when the page is left, or
when its signs of life end, and passes on to whoever has the study open next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.session import rows_of
from db.tables import OpenStudy, Study

#: A page without a sign of life for so long is taken for closed. A page gives one every 20 s;
#: browsers let a page that is not in view do so once a minute.
LIFETIME = timedelta(minutes=2)
#: Pages of one account that are kept at a time; of any further one nobody is told.
MOST_PAGES = 200

#: Pages that are not left, and gave a sign of life of late. One from the future is of a clock that
#: was set back. Made once, as the next: to put a statement together takes longer than to run it.
_OPEN = (
    select(Study.study_instance_uid, OpenStudy.account, OpenStudy.opened_at)
    .join(OpenStudy, OpenStudy.study_id == Study.id)
    .where(
        OpenStudy.left_at.is_(None),
        OpenStudy.seen_at > bindparam("oldest"),
        OpenStudy.seen_at <= bindparam("newest"),
        OpenStudy.tab != bindparam("but_tab"),
    )
    .order_by(OpenStudy.opened_at, OpenStudy.id)
)
_OPEN_OF_STUDIES = _OPEN.where(Study.study_instance_uid.in_(bindparam("uids", expanding=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """A study's page in one tab. account: None where nobody has to log in."""

    study_instance_uid: str
    tab: str
    account: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReader:
    """A person who has a study open."""

    #: The account; null where nobody has to log in.
    by: str | None
    since: datetime


def note_open(session: Session, page: OpenPage, now: datetime) -> bool:
    """Note a sign of life of a page. False if there is no such study."""
    study_id = _study_id(session, page)
    if study_id is None:
        return False
    _remove_old(session, now)
    row = _row(session, page)
    if row is None:
        _add(session, page, study_id, now)
    elif row.left_at is None:
        row.seen_at = now
    return True


def note_left(session: Session, page: OpenPage, now: datetime) -> bool:
    """Note that a page was left. False if there is no such study."""
    study_id = _study_id(session, page)
    if study_id is None:
        return False
    row = _row(session, page)
    if row is None:
        # Its sign of life comes later than this, as requests may.
        _add(session, page, study_id, now, left_at=now)
    else:
        row.left_at = row.seen_at = now
    return True


def open_pages_by_study(
    session: Session, now: datetime, uids: Iterable[str] | None = None, *, but_tab: str = ""
) -> dict[str, tuple[StudyReader, ...]]:
    """The reader of each page of a study that is open, in the order in which they were opened.

    uids: of these studies; None for all. but_tab: a page that is not meant.
    """
    values: dict[str, Any] = {
        "oldest": now - LIFETIME,
        "newest": now + LIFETIME,
        "but_tab": but_tab,
    }
    query = _OPEN
    if uids is not None:
        query, values["uids"] = _OPEN_OF_STUDIES, list(uids)
    pages: dict[str, list[StudyReader]] = {}
    for uid, account, opened_at in rows_of(session, query, values):
        pages.setdefault(uid, []).append(StudyReader(by=account, since=opened_at))
    return {uid: tuple(each) for uid, each in pages.items()}


def readers_of(pages: Iterable[StudyReader]) -> tuple[StudyReader, ...]:
    """The readers of a study by its open pages: an account counts once, by its first page."""
    first: dict[str | None, StudyReader] = {}
    for page in pages:
        first.setdefault(page.by, page)
    return tuple(first.values())


def readers_by_study(
    session: Session, now: datetime, uids: Iterable[str] | None = None, *, but_tab: str = ""
) -> dict[str, tuple[StudyReader, ...]]:
    """The readers of studies that somebody has open, the first of them reads it.

    uids, but_tab: as of `open_pages_by_study`.
    """
    by_study = open_pages_by_study(session, now, uids, but_tab=but_tab)
    return {uid: readers_of(pages) for uid, pages in by_study.items()}


def read_by_others(session: Session, account: str | None, now: datetime) -> list[str]:
    """The studies whose first reader is another account.

    None of them where nobody has to log in, and nobody is told apart.
    """
    by_study = readers_by_study(session, now)
    return [uid for uid, (first, *_) in by_study.items() if first.by != account]


def _study_id(session: Session, page: OpenPage) -> int | None:
    return session.scalar(
        select(Study.id).where(
            Study.study_instance_uid == page.study_instance_uid, Study.images.any()
        )
    )


def _row(session: Session, page: OpenPage) -> OpenStudy | None:
    """The row of a page, for writing. That of another account's is as if it were not there."""
    return session.scalar(
        select(OpenStudy)
        .where(OpenStudy.tab == page.tab, OpenStudy.account.is_not_distinct_from(page.account))
        .with_for_update()
    )


def _add(
    session: Session, page: OpenPage, study_id: int, now: datetime, left_at: datetime | None = None
) -> None:
    account = OpenStudy.account.is_not_distinct_from(page.account)
    if (session.scalar(select(func.count()).where(account)) or 0) >= MOST_PAGES:
        return
    row = OpenStudy(
        tab=page.tab,
        study_id=study_id,
        account=page.account,
        opened_at=now,
        seen_at=now,
        left_at=left_at,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Another request of the same tab came first, just now.
        return


def _remove_old(session: Session, now: datetime) -> None:
    """Remove the rows that tell nothing any more, but for those that somebody writes now."""
    seen_at = OpenStudy.seen_at
    old = select(OpenStudy.id).where(or_(seen_at <= now - LIFETIME, seen_at > now + LIFETIME))
    session.execute(
        delete(OpenStudy).where(OpenStudy.id.in_(old.with_for_update(skip_locked=True)))
    )
