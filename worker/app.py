"""The entry point that `celery --app worker.app` loads."""

from typing import Any

from celery.signals import beat_init, setup_logging, worker_ready, worker_shutdown

from db.site.beating import Heartbeat
from readfirst.files.private_files import keep_private
from readfirst.logs import configure_logs
from readfirst.settings import load_settings
from readfirst.site.parts import Part
from readfirst.startup.garbage import collect_seldom
from readfirst.tasks.celery_app import CeleryNotifier, make_app
from readfirst.tasks.names import TaskName

# Before `worker.steps` is imported, which loads nearly all that a worker needs.
collect_seldom()
keep_private()
settings = load_settings()
app = make_app(settings)
app.conf.imports = ("worker.tasks",)
#: Of this process, once it is ready: of a worker's first process alone, and not of its children.
heartbeats: list[Heartbeat] = []


@setup_logging.connect
def _configure_logs(**_: object) -> None:
    configure_logs(settings.log_level)


@worker_ready.connect
def _look_for_work(**_: object) -> None:
    """Take up what an earlier run left, and load the networks before the first film arrives."""
    notifier = CeleryNotifier(app)
    notifier.notify(TaskName.PREPARE)
    notifier.notify(TaskName.SCORE)


@worker_ready.connect
def _begin_to_beat(sender: Any, **_: object) -> None:
    """Give signs of life as the parts whose queues this worker serves."""
    queues = {queue.name for queue in sender.task_consumer.queues}
    parts = {Part.PREPARE: TaskName.PREPARE, Part.SCORE: TaskName.SCORE}
    _beat(*(part for part, task in parts.items() if task.queue in queues))


@beat_init.connect
def _begin_to_beat_as_clock(**_: object) -> None:
    from worker.pacs.polling_thread import start_polling

    _beat(Part.CLOCK)
    start_polling(settings)
    if settings.mwl_host is not None:
        from worker.ris.ask_worklist import start_asking

        start_asking(settings, CeleryNotifier(app))


@worker_shutdown.connect
def _end_heartbeats(**_: object) -> None:
    while heartbeats:
        heartbeats.pop().stop()


def _beat(*parts: Part) -> None:
    heartbeat = Heartbeat(settings.database, parts)
    heartbeat.start()
    heartbeats.append(heartbeat)
