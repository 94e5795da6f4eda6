"""The queue only says "there is work": no message carries an image, a UID or a person.

The database is the truth. A message that is lost costs time until the next sweep, nothing else.
"""

import time
from collections.abc import Callable

import structlog
from celery import Celery
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from readfirst.settings import Settings
from readfirst.tasks.names import TaskName

log = structlog.get_logger()

#: A message that nobody took for so long is no news any more (seconds).
EXPIRES_SECONDS = 600
#: Seconds after which an unacknowledged message is given to another worker; above every time limit.
VISIBILITY_TIMEOUT = 300
TASK_TIME_LIMIT = 240
#: After a message that the broker did not take, none is sent for so long: intake must not wait.
SILENCE_SECONDS = 10.0
#: Of each hour, when alerts are looked for: not when the night's work begins.
WATCH_MINUTE = 7


class CeleryNotifier:
    """Tells the workers through the broker. clock: seconds, as `time.monotonic` gives them."""

    def __init__(self, app: Celery, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._silent_until = clock()

    def notify(self, task: TaskName) -> None:
        """Tell them once; a broker that does not answer is logged, and left to the sweep."""
        if self._clock() < self._silent_until:
            return
        try:
            with self._app.producer_or_acquire() as producer:
                # To send waits six seconds for a broker that is not there, whatever `retry` says.
                producer.connection.ensure_connection(max_retries=0)
                self._app.send_task(
                    task.value,
                    queue=task.queue,
                    expires=EXPIRES_SECONDS,
                    retry=False,
                    ignore_result=True,
                    producer=producer,
                )
        except OperationalError as error:
            self._silent_until = self._clock() + SILENCE_SECONDS
            log.warning("notice_not_sent", action="notify", task=task.value, error=str(error))


def make_app(settings: Settings) -> Celery:
    """The Celery application, with the settings that keep work from being lost or repeated."""
    transport = {
        "visibility_timeout": VISIBILITY_TIMEOUT,
        # Look for messages of dead workers every 2 s, not every 100 s.
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
        worker_prefetch_multiplier=1,
        # A parent that has built a network leaves its forked children hanging.
        worker_pool_start_method="spawn",
        worker_soft_shutdown_timeout=30,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_transport_options=transport,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        timezone=settings.time_zone,
        task_routes={task.value: {"queue": task.queue} for task in TaskName},
        beat_schedule_filename=str(settings.home_path / "beat-schedule"),
        beat_schedule=_schedule(settings),
    )
    return app


def _schedule(settings: Settings) -> dict[str, dict[str, object]]:
    # In the site's own zone, which the application carries. The sweep begins the re-scoring.
    night = crontab(hour=str(settings.nightly_at.hour), minute=str(settings.nightly_at.minute))
    return {
        "sweep": {
            "task": TaskName.SWEEP.value,
            "schedule": settings.sweep_seconds,
            "options": {"expires": settings.sweep_seconds},
        },
        "retention": {"task": TaskName.RETENTION.value, "schedule": night},
        "watch": {
            "task": TaskName.WATCH.value,
            "schedule": crontab(minute=str(WATCH_MINUTE)),
            "options": {"expires": EXPIRES_SECONDS},
        },
    }
