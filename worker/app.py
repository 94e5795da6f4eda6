"""The entry point that `celery --app worker.app` loads."""

from celery.signals import setup_logging, worker_ready

from readfirst.files.private_files import keep_private
from readfirst.logs import configure_logs
from readfirst.settings import load_settings
from readfirst.tasks.celery_app import CeleryNotifier, make_app
from readfirst.tasks.names import TaskName

keep_private()
settings = load_settings()
app = make_app(settings)
app.conf.imports = ("worker.tasks",)


@setup_logging.connect
def _configure_logs(**_: object) -> None:
    configure_logs(settings.log_level)


@worker_ready.connect
def _look_for_work(**_: object) -> None:
    """Take up what an earlier run left, and load the networks before the first film arrives."""
    notifier = CeleryNotifier(app)
    notifier.notify(TaskName.PREPARE)
    notifier.notify(TaskName.SCORE)
