"""Loaded into a real Celery worker: writes down when its use cases are opened and closed."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery.signals import task_postrun

from readfirst.settings import Settings
from readfirst.startup.garbage import NEW_OBJECTS
from readfirst.tasks.notifier import TaskNotifier
from worker import steps
from worker.composition import UseCases, open_use_cases


def _note(what: str) -> None:
    with Path(os.environ["OBSERVED"]).open("a") as notes:
        notes.write(f"{what}\n")


@contextmanager
def _observed(settings: Settings, notifier: TaskNotifier) -> Iterator[UseCases]:
    assert gc.get_threshold()[0] == NEW_OBJECTS
    with open_use_cases(settings, notifier) as use_cases:
        _note("opened")
        yield use_cases
        _note("closed")


steps.open_use_cases = _observed  # type: ignore[attr-defined]
task_postrun.connect(lambda **_: _note("worked"), weak=False)
