"""Originals leave the store when the site's settings say so, and their rows then say that too."""

from datetime import UTC, datetime, timedelta

import structlog

from db.retention import due_originals, original_removed
from db.tables import Image
from readfirst.domain import ImageState
from worker.resources import Resources

log = structlog.get_logger()
#: Originals removed in one transaction, so that live arrivals never wait for a long one.
SLICE = 200


def let_originals_go(resources: Resources, now: datetime | None = None) -> int:
    """Remove the originals that were kept long enough. Returns how many.

    Rows, events, scores and what was made from a film stay. Each file goes before its row is
    committed: a run that dies in between finds the row again the next night.
    """
    limits = _limits(resources, now or datetime.now(UTC))
    removed = last = 0
    while True:
        with resources.database.write() as session:
            images = due_originals(
                session,
                refused_before=limits[ImageState.REFUSED],
                scored_before=limits[ImageState.SCORED],
                after_id=last,
                limit=SLICE,
            )
            for image in images:
                if _remove(image, limits[image.state], resources):
                    original_removed(session, image, datetime.now(UTC))
                    removed += 1
        if not images:
            break
        last = images[-1].id
    if removed:
        log.info("originals_removed", action="retention", originals=removed)
    return removed


def _limits(resources: Resources, now: datetime) -> dict[ImageState, datetime | None]:
    """Before when a refused or a scored image must have become so; None keeps it for ever."""
    settings = resources.settings

    def before(days: float | None) -> datetime | None:
        return None if days is None else now - timedelta(days=days)

    return {
        ImageState.REFUSED: before(settings.keep_refused_days),
        ImageState.SCORED: before(settings.keep_originals_days),
    }


def _remove(image: Image, limit: datetime | None, resources: Resources) -> bool:
    return limit is not None and resources.store.remove(image.sha256, kept_since=limit)
