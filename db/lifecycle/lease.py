"""Leases: one worker holds a row for a while, and whoever lost the lease changes nothing any more.

Images, heat maps and the outbox are claimed by them. A row is free if its lease ended. An attempt
counts when it begins, so a row that kills its worker each time comes to its last attempt too.

Attempts end in three ways besides success. A failure is the row's own doing; few are allowed. A
fault of the machine is excused, and never counts. Of all others nobody knows whose doing they were,
as of a worker that was killed: they prove something only when there are very many of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ExecutableOption

from db.tables import Leased
from readfirst.machine_faults import MOST_UNPROVEN

Row = TypeVar("Row", bound=Leased)
#: Attempts without an end: the caller gives up by another rule.
UNLIMITED = 2**31 - 1
#: Doubled this often at the most: a larger number would overflow.
MOST_DOUBLINGS = 20
#: Whatever the machine's fault was, a row is tried again so soon after it has gone.
LONGEST_EXCUSED_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasePolicy:
    """The time that a row is held, its number of attempts, and the pauses in between.

    max_attempts: failures, as the row's own doing, that end it. max_unproven: attempts that ended
    without a word. first_pause: after the first failed attempt; it doubles with each one up to
    longest_pause.
    """

    lease: timedelta
    max_attempts: int = UNLIMITED
    max_unproven: int = MOST_UNPROVEN
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(hours=1)

    def pause(self, attempts: int) -> timedelta:
        """The pause after this many failed attempts, of which there is at least one."""
        pause = self.first_pause * float(2 ** min(attempts - 1, MOST_DOUBLINGS))
        return min(pause, self.longest_pause)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to change one row. token: fences out whoever held it before."""

    row_id: int
    token: str


def is_free(table: type[Leased], now: datetime) -> ColumnElement[bool]:
    """Rows that nobody holds, and whose pause is over."""
    return or_(table.lease_until.is_(None), table.lease_until <= now)


def has_attempts(table: type[Leased], policy: LeasePolicy) -> ColumnElement[bool]:
    """Rows that may be tried once more."""
    unproven = table.attempts - table.failures - table.excused
    return and_(table.failures < policy.max_attempts, unproven < policy.max_unproven)


def is_spent(table: type[Leased], now: datetime, policy: LeasePolicy) -> ColumnElement[bool]:
    """Rows whose last attempt has ended, as that of a worker that died."""
    return and_(not_(has_attempts(table, policy)), is_free(table, now))


def take(rows: Sequence[Leased], now: datetime, policy: LeasePolicy) -> list[Lease]:
    """Hold these rows, which the caller has locked; each counts one attempt more.

    One whose earlier attempts ended without a word is held longer each time: if it kills its
    worker, it does so ever more rarely.
    """
    token = uuid4().hex
    for row in rows:
        unproven = unproven_attempts(row)
        longer = policy.pause(unproven) if unproven else timedelta()
        row.attempts += 1
        row.lease_until, row.lease_token = now + policy.lease + longer, token
    return [Lease(row.id, token) for row in rows]


def unproven_attempts(row: Leased) -> int:
    """The attempts that began and ended, or run now, and are neither failures nor excused."""
    return row.attempts - row.failures - row.excused


def leased_row(session: Session, table: type[Row], lease: Lease) -> Row | None:
    """Return the row for writing, or None if the lease went to another worker."""
    return leased_rows(session, table, [lease]).get(lease.row_id)


def leased_rows(
    session: Session, table: type[Row], leases: Iterable[Lease], *options: ExecutableOption
) -> dict[int, Row]:
    """Return the rows for writing by number, without those whose lease went to another worker.

    options: of loading, such as what is loaded beside the rows.
    """
    tokens = {lease.row_id: lease.token for lease in leases}
    query = (
        select(table)
        .where(table.id.in_(tokens), table.lease_token.in_(set(tokens.values())))
        .order_by(table.id)
        .options(*options)
        .with_for_update(key_share=True)
    )
    return {row.id: row for row in session.scalars(query) if row.lease_token == tokens[row.id]}


def let_go(row: Leased) -> None:
    """Nobody holds the row any more; its attempts stay counted."""
    row.lease_until = row.lease_token = None


def release(row: Leased) -> None:
    """The work is done, or ended: nobody holds the row, and its attempts begin anew."""
    row.attempts = row.failures = row.excused = 0
    let_go(row)


def renew(row: Leased, now: datetime, policy: LeasePolicy) -> None:
    """Hold the row for longer, since the work goes on."""
    row.lease_until = now + policy.lease


def rest(row: Leased, until: datetime) -> None:
    """Let nobody take a row that is free before then; a longer pause stays."""
    row.lease_until = max(until, row.lease_until or until)


def give_way(row: Leased) -> None:
    """Let the work go on later; this was no failed attempt."""
    row.attempts -= 1
    let_go(row)


def pause(row: Leased, now: datetime, policy: LeasePolicy) -> None:
    """Free the row after the pause that its failed attempts ask for."""
    row.lease_token = None
    row.lease_until = now + policy.pause(row.attempts)


def fail(row: Leased) -> None:
    """Count the attempt that is running as a failure: it was the row's own doing."""
    row.failures += 1


def excuse(row: Leased, now: datetime, policy: LeasePolicy) -> None:
    """Free the row after a short pause: the attempt failed by a fault of the machine."""
    row.excused += 1
    row.lease_token = None
    # Longer than the work itself is stopped, so that next time another row has its turn.
    row.lease_until = now + min(policy.pause(row.excused + 1), LONGEST_EXCUSED_PAUSE)


def is_last_attempt(row: Leased, policy: LeasePolicy) -> bool:
    """Tell whether no attempt is left after the one that just failed."""
    return row.failures >= policy.max_attempts or unproven_attempts(row) >= policy.max_unproven
