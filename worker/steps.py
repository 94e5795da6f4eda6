"""The steps that Celery's tasks run: each works until nothing is left.

They are apart from `worker.tasks`, so that a process which runs no task loads nothing of them.
"""

import atexit
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from typing import Final

from celery.signals import worker_process_shutdown, worker_shutdown

from db.monitoring.kept_days import keep_days
from readfirst.monitoring.period import MOST_DAYS
from readfirst.settings import load_settings
from readfirst.tasks.celery_app import CeleryNotifier
from readfirst.tasks.names import TaskName
from worker.app import app
from worker.composition import UseCases, open_use_cases
from worker.delivery.deliver import deliver_next
from worker.explaining.explain import explain_next
from worker.ris.retry import retry_next_wanted_message
from worker.scoring.night import feed_night, keep_night
from worker.scoring.prepare import prepare_next
from worker.scoring.rescore import (
    rank_by_active,
    rank_by_new_mode,
    rank_by_new_thresholds,
    rescore,
)
from worker.scoring.score import score_batch
from worker.scoring.shadow import shadow_next
from worker.sending.send import send_next
from worker.upkeep.alerts import check_alerts
from worker.upkeep.escalate import escalate
from worker.upkeep.retention import purge_messages, purge_originals
from worker.upkeep.retry import retry_next_wanted
from worker.upkeep.sweep import sweep as sweep_once

#: Seconds after which a task hands the rest on to the next task, so that a stop need not wait.
SLICE_SECONDS = 10.0

#: Closes what `use_cases` opened. It must live as long as the process does.
_closing = ExitStack()


@cache
def use_cases() -> UseCases:
    """All that the process holds, opened at its first task and closed with the process."""
    return _closing.enter_context(open_use_cases(load_settings(), CeleryNotifier(app)))


# The first is sent in each process of a prefork pool, which runs no `atexit`; the second in the
# worker itself, which is the only process of a solo pool.
@worker_process_shutdown.connect
@worker_shutdown.connect
def close_use_cases(**_: object) -> None:
    """Close what the process holds. Does nothing where nothing is open."""
    use_cases.cache_clear()
    _closing.close()


atexit.register(close_use_cases)


def prepare() -> None:
    """Decode and standardise received images."""
    site = use_cases()
    _until_nothing_is_left(lambda: prepare_next(site.units, site.preparation), TaskName.PREPARE)


def score() -> None:
    """Score ready images in batches.

    While no film waits, make heat maps, go on with the night, and score in shadow.
    """
    site = use_cases()
    _until_nothing_is_left(
        lambda: (
            score_batch(site.scoring) > 0
            or explain_next(site.explaining)
            or feed_night(site.night)
            or shadow_next(site.shadow)
        ),
        TaskName.SCORE,
    )


def sweep() -> None:
    """Wake workers, keep the night, escalate what nobody has read, and retry what is wanted.

    Studies that do not know a new threshold or mode yet are ranked by it.
    """
    site = use_cases()
    rank_by_new_thresholds(site.units)
    rank_by_new_mode(site.units)
    keep_night(site.night)
    escalate(site.units, site.escalation)
    sweep_once(site.units, site.store)
    _until_nothing_is_left(
        lambda: retry_next_wanted(site.units, site.intake) or retry_next_wanted_message(site.ris),
        TaskName.SWEEP,
    )


def deliver() -> None:
    """Tell other systems and people of flagged and escalated studies."""
    site = use_cases()
    _until_nothing_is_left(
        lambda: deliver_next(site.units.database, site.receivers), TaskName.DELIVER
    )


def send() -> None:
    """Send results to other systems."""
    site = use_cases()
    _until_nothing_is_left(lambda: send_next(site.sending), TaskName.SEND)


def nightly() -> None:
    """Queue what the active ensemble has not seen: somebody wants it now."""
    site = use_cases()
    rescore(site.units, site.ensembles, zone=site.night.plan.zone)


def rank() -> None:
    """Rank the studies that the active ensemble has scored already, as in shadow, by its scores."""
    site = use_cases()
    with site.units.database.write() as session:
        active = site.ensembles.active(session, datetime.now(UTC))
    rank_by_active(site.units, active)


def retention() -> None:
    """Remove originals, and messages of the RIS, that were kept long enough."""
    site = use_cases()
    purge_originals(site.units, site.store, site.retention)
    purge_messages(site.units, site.retention)


def watch() -> None:
    """Count the days that are over, and look for what a lead must be told."""
    site = use_cases()
    keep_days(site.units.database, site.alerts.zone, datetime.now(UTC), MOST_DAYS)
    check_alerts(site.units.database, site.alerts)


#: What each task runs.
STEPS: Final[Mapping[TaskName, Callable[[], None]]] = {
    TaskName.PREPARE: prepare,
    TaskName.SCORE: score,
    TaskName.SWEEP: sweep,
    TaskName.DELIVER: deliver,
    TaskName.SEND: send,
    TaskName.NIGHTLY: nightly,
    TaskName.RANK: rank,
    TaskName.RETENTION: retention,
    TaskName.WATCH: watch,
}


def _until_nothing_is_left(work: Callable[[], bool], task: TaskName) -> None:
    end = time.monotonic() + SLICE_SECONDS
    while work():
        if time.monotonic() > end:
            use_cases().units.notifier.notify(task)
            return
