"""Celery tasks: each is one call of a plain function of `worker.steps`.

That is imported with the first task: the first process of a worker, which runs none, and the clock
need not load it.
"""

from readfirst.tasks.names import TaskName
from worker.app import app


@app.task(name=TaskName.PREPARE.value)
def prepare() -> None:
    """Decode and standardise received images."""
    from worker import steps

    steps.prepare()


@app.task(name=TaskName.SCORE.value)
def score() -> None:
    """Score ready images in batches."""
    from worker import steps

    steps.score()


@app.task(name=TaskName.SWEEP.value)
def sweep() -> None:
    """Wake workers, keep the night, escalate what nobody has read, and retry what is wanted."""
    from worker import steps

    steps.sweep()


@app.task(name=TaskName.DELIVER.value)
def deliver() -> None:
    """Tell other systems and people of flagged and escalated studies."""
    from worker import steps

    steps.deliver()


@app.task(name=TaskName.SEND.value)
def send() -> None:
    """Send results to other systems."""
    from worker import steps

    steps.send()


@app.task(name=TaskName.NIGHTLY.value)
def nightly() -> None:
    """Queue what the active ensemble has not seen: somebody wants it now."""
    from worker import steps

    steps.nightly()


@app.task(name=TaskName.RANK.value)
def rank() -> None:
    """Rank the studies that the active ensemble has scored already, as in shadow, by its scores."""
    from worker import steps

    steps.rank()


@app.task(name=TaskName.RETENTION.value)
def retention() -> None:
    """Remove originals, and messages of the RIS, that were kept long enough."""
    from worker import steps

    steps.retention()


@app.task(name=TaskName.WATCH.value)
def watch() -> None:
    """Count the days that are over, and look for what a lead must be told."""
    from worker import steps

    steps.watch()
