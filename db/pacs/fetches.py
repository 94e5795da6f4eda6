"""Studies that were found at a source: each is fetched once, by one process at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from db.lifecycle.lease import (
    Lease,
    LeasePolicy,
    fail,
    give_way,
    is_free,
    is_last_attempt,
    leased_row,
    pause,
    release,
    renew,
    take,
)
from db.tables import FetchRow, Image, SourceRow, Study
from readfirst.pacs.fetches import FetchPurpose, FetchState
from readfirst.pacs.matches import PacsStudy, Retrieved

#: A study that is being fetched belongs to whoever does it, who renews this while it goes on.
LEASE = timedelta(seconds=60)
#: Where a PACS does not count the instances of a study, it is looked at again so often.
UNCOUNTED_PAUSE = timedelta(minutes=15)
POLICY = LeasePolicy(lease=LEASE, max_attempts=5, first_pause=timedelta(seconds=30))


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRecord:
    """A study of a source. images: that came; instances: that the PACS said it has."""

    source: str
    study_instance_uid: str
    purpose: FetchPurpose
    state: FetchState
    found_at: datetime
    finished_at: datetime | None
    instances: int | None
    images: int
    warnings: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class FetchClaim:
    """A study that one process fetches.

    instances: that the PACS said it has. images: that came before.
    """

    lease: Lease
    study_instance_uid: str
    instances: int | None
    images: int


def note_found(
    session: Session,
    source_id: int,
    matches: Iterable[PacsStudy],
    purpose: FetchPurpose,
    at: datetime,
    *,
    again: bool = False,
) -> list[str]:
    """Give studies their rows. Returns the UIDs of those that are to be fetched, in order.

    One that was fetched is looked at again if the PACS has more instances of it now, or does not
    count them. again: somebody wants it now, so what failed is tried again too. One that waits
    already keeps the more urgent purpose.
    """
    by_uid = {match.study_instance_uid: match for match in matches}
    rows = _rows(session, source_id, by_uid)
    wanted = []
    for uid, match in by_uid.items():
        row = rows.get(uid)
        if row is None:
            row = FetchRow(
                source_id=source_id,
                study_instance_uid=uid,
                purpose=purpose,
                state=FetchState.FOUND,
                found_at=at,
            )
            session.add(row)
        elif row.state is not FetchState.FOUND:
            if not _is_due_again(row, match, at, again=again):
                row.instances = match.instances
                continue
            row.state, row.purpose, row.found_at = FetchState.FOUND, purpose, at
            row.finished_at = row.reason = None
            release(row)
        elif _urgency(purpose) < _urgency(row.purpose):
            row.purpose = purpose
        row.instances = match.instances
        wanted.append(uid)
    session.flush()
    return wanted


def known_images(session: Session, study_instance_uid: str) -> frozenset[str]:
    """The SOP Instance UIDs of a study that are here, scored or refused."""
    query = (
        select(Image.sop_instance_uid)
        .join(Study, Image.study_id == Study.id)
        .where(
            or_(
                Study.study_instance_uid == study_instance_uid,
                Study.shared_study_instance_uid == study_instance_uid,
            )
        )
    )
    return frozenset(uid for uid in session.scalars(query) if uid is not None)


def claim_fetch(
    session: Session, source_id: int, study_instance_uid: str, at: datetime
) -> FetchClaim | None:
    """Take a study that waits, whatever its pause; None if another process has it or it is done."""
    query = (
        select(FetchRow)
        .where(
            FetchRow.source_id == source_id,
            FetchRow.study_instance_uid == study_instance_uid,
            FetchRow.state == FetchState.FOUND,
            or_(FetchRow.lease_token.is_(None), is_free(FetchRow, at)),
        )
        .with_for_update(skip_locked=True)
    )
    return _taken(session.scalar(query), at)


def claim_next_fetch(
    session: Session, source_id: int, purposes: Sequence[FetchPurpose], at: datetime
) -> FetchClaim | None:
    """Take the most urgent study that waits, the earliest first; None if there is none."""
    urgency = case({purpose: _urgency(purpose) for purpose in purposes}, value=FetchRow.purpose)
    query = (
        select(FetchRow)
        .where(
            FetchRow.source_id == source_id,
            FetchRow.state == FetchState.FOUND,
            FetchRow.purpose.in_(purposes),
            is_free(FetchRow, at),
        )
        .order_by(urgency, FetchRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return _taken(session.scalar(query), at)


def renew_fetch(session: Session, claim: FetchClaim, at: datetime) -> None:
    """Hold a study for longer, since it is still being fetched."""
    row = leased_row(session, FetchRow, claim.lease)
    if row is not None:
        renew(row, at, POLICY)


def waiting_fetches(session: Session, source_id: int) -> list[str]:
    """The UIDs of the studies that were found and not fetched yet, the earliest first."""
    query = (
        select(FetchRow.study_instance_uid)
        .where(FetchRow.source_id == source_id, FetchRow.state == FetchState.FOUND)
        .order_by(FetchRow.id)
    )
    return list(session.scalars(query))


def finish_fetch(
    session: Session,
    claim: FetchClaim,
    result: Retrieved,
    at: datetime,
    *,
    images: int,
    is_last: bool,
) -> FetchState | None:
    """Write what came of it. Returns the state; None if another process has the study by now.

    images: that are here now, if all is well. is_last: a failure is final at once; otherwise it is
    tried again, after pauses that grow.
    """
    row = leased_row(session, FetchRow, claim.lease)
    if row is None:
        return None
    row.warnings += result.warnings
    row.reason = result.reason
    if result.reason is None:
        row.state, row.finished_at = FetchState.FETCHED, at
        row.fetched_instances, row.images = claim.instances, images
        release(row)
        return row.state
    fail(row)
    if is_last or is_last_attempt(row, POLICY):
        row.state, row.finished_at = FetchState.FAILED, at
        # With more instances it is tried again.
        row.fetched_instances = claim.instances
        release(row)
    else:
        pause(row, at, POLICY)
    return row.state


def give_back(session: Session, claim: FetchClaim) -> None:
    """Let a study wait on: that it was not fetched is not its own doing."""
    row = leased_row(session, FetchRow, claim.lease)
    if row is not None:
        give_way(row)


def take_turn(session: Session, source_id: int, at: datetime, interval: timedelta) -> datetime:
    """Take the next turn at a source, for what nobody waits for. Returns when it is.

    All processes share the turns, which are at least an interval apart.
    """
    row = session.get_one(SourceRow, source_id, with_for_update=True)
    turn = max(at, row.paced_until or at)
    # A clock that was put back leaves no turn in the far future.
    turn = min(turn, at + interval)
    row.paced_until = turn + interval
    return turn


def fetch_records(
    session: Session,
    *,
    source: str | None = None,
    state: FetchState | None = None,
    limit: int = 100,
) -> list[FetchRecord]:
    """The studies that were found, the latest first."""
    query = (
        select(FetchRow, SourceRow.name)
        .join(SourceRow, FetchRow.source_id == SourceRow.id)
        .order_by(FetchRow.id.desc())
        .limit(limit)
    )
    if source is not None:
        query = query.where(SourceRow.name == source)
    if state is not None:
        query = query.where(FetchRow.state == state)
    return [
        FetchRecord(
            source=name,
            study_instance_uid=row.study_instance_uid,
            purpose=row.purpose,
            state=row.state,
            found_at=row.found_at,
            finished_at=row.finished_at,
            instances=row.instances,
            images=row.images,
            warnings=row.warnings,
            reason=row.reason,
        )
        for row, name in session.execute(query)
    ]


def _taken(row: FetchRow | None, at: datetime) -> FetchClaim | None:
    if row is None:
        return None
    (lease,) = take([row], at, POLICY)
    return FetchClaim(lease, row.study_instance_uid, row.instances, row.images)


def _is_due_again(row: FetchRow, match: PacsStudy, at: datetime, *, again: bool) -> bool:
    """Tell whether the PACS may have more of a study than when it was fetched, or it failed."""
    if again and row.state is FetchState.FAILED:
        return True
    if match.instances is None or row.fetched_instances is None:
        return again or row.finished_at is None or at - row.finished_at >= UNCOUNTED_PAUSE
    return match.instances > row.fetched_instances


def _urgency(purpose: FetchPurpose) -> int:
    return list(FetchPurpose).index(purpose)


def _rows(session: Session, source_id: int, uids: Iterable[str]) -> dict[str, FetchRow]:
    """The rows of these studies, by UID, a few hundred in a statement."""
    all_uids = list(uids)
    rows: dict[str, FetchRow] = {}
    for start in range(0, len(all_uids), 500):
        query = (
            select(FetchRow)
            .where(
                FetchRow.source_id == source_id,
                FetchRow.study_instance_uid.in_(all_uids[start : start + 500]),
            )
            .order_by(FetchRow.id)
            .with_for_update()
        )
        rows |= {row.study_instance_uid: row for row in session.scalars(query)}
    return rows
