"""What was forgotten is rung for again, and what failed for good is refused."""

from datetime import UTC, datetime

import structlog

from db.announcements import is_any_due
from db.heat_maps import give_up_maps, is_any_wanted
from db.work import give_up, waiting
from readfirst.domain import ImageState
from readfirst.queue import Bell
from worker.resources import Resources

log = structlog.get_logger()
#: Bells rung in one sweep for one kind of work, at most; each bell works until nothing is left.
MOST_BELLS = 16


def sweep(resources: Resources) -> None:
    """Look for free images in the database and ring for them."""
    resources.store.sweep()
    now = datetime.now(UTC)
    with resources.database.write() as session:
        given_up = give_up(session, now, resources.terms)
        free = waiting(session, now)
        give_up_maps(session, now, resources.terms)
        explain = is_any_wanted(session)
        tell = resources.settings.webhook_url is not None and is_any_due(session, now)
    for state, bell in ((ImageState.RECEIVED, Bell.PREPARE), (ImageState.READY, Bell.ASSESS)):
        for _ in range(min(free.get(state, 0), MOST_BELLS)):
            resources.ringer.ring(bell)
    if explain:
        resources.ringer.ring(Bell.ASSESS)
    if tell:
        resources.ringer.ring(Bell.ANNOUNCE)
    if given_up or free:
        log.info("swept", action="sweep", given_up=given_up, waiting=sum(free.values()))
