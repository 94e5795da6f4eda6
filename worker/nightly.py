"""The night's work: what the active ensemble has not seen becomes ready again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from db.rescoring import make_ready_again, rank_again
from readfirst.queue import Bell
from worker.resources import Resources

log = structlog.get_logger()
#: Rows changed in one transaction, so that live arrivals never wait for a long one.
SLICE = 500


def rescore(
    resources: Resources,
    *,
    received_since: datetime | None = None,
    again: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Queue images for the active ensemble, behind all live ones. Returns how many.

    received_since: only images that arrived then or later. again: also those that it has scored
    already; their scores stay, and a result that differs is noted. progress: told the total so far.
    Studies whose scores are there already, as after a roll-back, are ranked by them at once.
    """
    with resources.database.write() as session:
        active = resources.judgement.active(session, datetime.now(UTC))

    def queue(session: Session, after_id: int) -> list[int]:
        return make_ready_again(
            session,
            active,
            datetime.now(UTC),
            limit=SLICE,
            received_since=received_since,
            after_id=after_id,
            again=again,
        )

    def rank(session: Session, after_id: int) -> list[int]:
        max_wait = resources.settings.max_wait
        return rank_again(session, active, limit=SLICE, max_wait=max_wait, after_id=after_id)

    ranked = sum(_slices(resources, rank))
    total = 0
    for queued in _slices(resources, queue):
        total += queued
        progress(total)
        resources.ringer.ring(Bell.ASSESS)
        resources.ringer.ring(Bell.PREPARE)
    log.info("rescored", action="rescore", queued=total, ranked=ranked, ensemble=active.version)
    return total


def _slices(resources: Resources, change: Callable[[Session, int], list[int]]) -> Iterator[int]:
    """Change rows slice by slice, each in its own transaction, until none is left."""
    last = 0
    while True:
        with resources.database.write() as session:
            ids = change(session, last)
        if not ids:
            return
        last = ids[-1]
        yield len(ids)
