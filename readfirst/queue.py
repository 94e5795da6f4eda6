"""The queue only says "there is work": no message carries an image, a UID or a person.

The database is the truth. A bell that is lost costs time until the next sweep, nothing else.
"""

import time
from enum import StrEnum
from typing import Protocol

import structlog
from celery import Celery
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from readfirst.settings import Settings

log = structlog.get_logger()

#: A bell nobody heard for so long is no news any more (seconds).
BELL_EXPIRES = 600
#: Seconds after which an unacknowledged bell is given to another worker; above every time limit.
VISIBILITY_TIMEOUT = 300
TASK_TIME_LIMIT = 240
#: After a bell that the broker did not take, no other is tried for so long: intake must not wait.
SILENCE_SECONDS = 10.0


#: Of each hour, when alerts are looked for: not when the night's work begins.
WATCH_MINUTE = 7


class Bell(StrEnum):
    """The tasks; each bears its Celery name and has a queue of its own name's first part."""

    PREPARE = "prepare"
    ASSESS = "assess"
    SWEEP = "housekeeping.sweep"
    ANNOUNCE = "housekeeping.announce"
    NIGHTLY = "housekeeping.nightly"
    RETENTION = "housekeeping.retention"
    WATCH = "housekeeping.watch"

    @property
    def queue(self) -> str:
        """The queue on which the bell is rung."""
        return self.value.split(".")[0]


class Ringer(Protocol):
    """Tells the workers that there is work of a kind."""

    def ring(self, bell: Bell) -> None:
        """Ring once. Never raises: the sweep rings again."""


class CeleryRinger:
    """Rings through the broker."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._silent_until = 0.0

    def ring(self, bell: Bell) -> None:
        """Ring once; a broker that does not answer is logged, left alone, and left to the sweep."""
        if time.monotonic() < self._silent_until:
            return
        try:
            self._app.send_task(
                bell.value, queue=bell.queue, expires=BELL_EXPIRES, retry=False, ignore_result=True
            )
        except OperationalError as error:
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            log.warning("bell_not_rung", action="ring", bell=bell.value, error=str(error))


class SilentRinger:
    """Rings nowhere, and remembers what it was asked to ring: for tests and for one process."""

    def __init__(self) -> None:
        self.rung: list[Bell] = []

    def ring(self, bell: Bell) -> None:
        """Remember the bell."""
        self.rung.append(bell)


def make_app(settings: Settings) -> Celery:
    """The Celery application, with the settings that keep work from being lost or repeated."""
    transport = {
        "visibility_timeout": VISIBILITY_TIMEOUT,
        # Look for bells of dead workers every 2 s, not every 100 s.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
    }
    app = Celery("readfirst", broker=settings.broker)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_time_limit=TASK_TIME_LIMIT,
        visibility_timeout=VISIBILITY_TIMEOUT,
        worker_prefetch_multiplier=1,
        # A parent that has built a network leaves its forked children hanging.
        worker_pool_start_method="spawn",
        worker_soft_shutdown_timeout=30,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_transport_options=transport,
        result_backend_transport_options=transport,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        timezone=settings.time_zone,
        task_routes={bell.value: {"queue": bell.queue} for bell in Bell},
        beat_schedule_filename=str(settings.home_path / "beat-schedule"),
        beat_schedule=_schedule(settings),
    )
    return app


def _schedule(settings: Settings) -> dict[str, dict[str, object]]:
    # In the site's own zone, which the application carries.
    night = crontab(hour=str(settings.nightly_at.hour), minute=str(settings.nightly_at.minute))
    return {
        "sweep": {
            "task": Bell.SWEEP.value,
            "schedule": settings.sweep_seconds,
            "options": {"expires": settings.sweep_seconds},
        },
        "nightly": {"task": Bell.NIGHTLY.value, "schedule": night},
        "retention": {"task": Bell.RETENTION.value, "schedule": night},
        "watch": {
            "task": Bell.WATCH.value,
            "schedule": crontab(minute=str(WATCH_MINUTE)),
            "options": {"expires": BELL_EXPIRES},
        },
    }
