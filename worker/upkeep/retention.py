"""Originals leave the store when the site's settings say so, and their rows then say that too."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from db.lifecycle.retention import due_originals, original_removed
from db.lifecycle.unit_of_work import UnitOfWorkFactory
from db.ris.messages import forget_messages
from ingest.inbox.store import Store
from readfirst.domain import ImageState

log = structlog.get_logger()
#: Originals removed in one transaction, so that live arrivals never wait for a long one.
SLICE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """For how many days originals of refused and of scored images are kept; None: for ever.

    message_days: for how many, messages of the RIS.
    """

    refused_days: float | None
    scored_days: float | None
    message_days: float

    def limits(self, now: datetime) -> dict[ImageState, datetime | None]:
        """Before when a refused or a scored image must have become so, to lose its original."""

        def before(days: float | None) -> datetime | None:
            return None if days is None else now - timedelta(days=days)

        return {
            ImageState.REFUSED: before(self.refused_days),
            ImageState.SCORED: before(self.scored_days),
        }


def purge_originals(
    units: UnitOfWorkFactory, store: Store, policy: RetentionPolicy, now: datetime | None = None
) -> int:
    """Remove the originals that were kept long enough. Returns how many.

    Rows, events, scores and what was made from a film stay. Each file goes before its row is
    committed: a run that dies in between finds the row again the next night.
    """
    limits = policy.limits(now or datetime.now(UTC))
    removed = last = 0
    while True:
        with units.begin() as unit:
            images = due_originals(
                unit,
                refused_before=limits[ImageState.REFUSED],
                scored_before=limits[ImageState.SCORED],
                after_id=last,
                limit=SLICE,
            )
            for image in images:
                limit = limits[image.state]
                if limit is not None and store.remove(image.sha256, kept_since=limit):
                    original_removed(unit, image)
                    removed += 1
        if not images:
            break
        last = images[-1].id
    if removed:
        log.info("originals_removed", action="retention", originals=removed)
    return removed


def purge_messages(
    units: UnitOfWorkFactory, policy: RetentionPolicy, now: datetime | None = None
) -> int:
    """Remove messages of the RIS that were kept long enough, and orders without a study.

    Returns how many of those messages nobody had been able to read.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=policy.message_days)
    with units.database.write() as session:
        removed = forget_messages(session, before)
    if removed:
        log.warning("messages_removed", action="retention", messages=removed)
    return removed
