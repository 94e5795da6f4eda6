"""Celery tasks: each is one call of its step in `worker.steps`.

That is imported with the first task: the first process of a worker, which runs none, and the clock
need not load it.
"""

from readfirst.tasks.names import TaskName
from worker.app import app


def _register(name: TaskName) -> None:
    @app.task(name=name.value)
    def run_step() -> None:
        from worker.steps import STEPS

        STEPS[name]()


for _name in TaskName:
    _register(_name)
