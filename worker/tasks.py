"""Celery tasks: each is one call of a plain function. A bell means: work until nothing is left."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache

from readfirst.queue import Bell, CeleryRinger
from readfirst.settings import load_settings
from worker.app import app
from worker.assess import assess_ready
from worker.explain import explain_next
from worker.nightly import rescore
from worker.prepare import prepare_next
from worker.resources import Resources, open_resources
from worker.retention import let_originals_go
from worker.sweep import sweep as sweep_once
from worker.watch import watch as watch_once
from worker.webhook import announce_next

#: Seconds after which a task hands the rest on to the next bell, so that a stop need not wait.
SLICE_SECONDS = 10.0


@cache
def resources() -> Resources:
    """What the process holds, opened at its first task and closed with the process."""
    return ExitStack().enter_context(open_resources(load_settings(), CeleryRinger(app)))


@app.task(name=Bell.PREPARE.value)
def prepare() -> None:
    """Decode and standardise received images."""
    _until_nothing_is_left(lambda: prepare_next(resources()), Bell.PREPARE)


@app.task(name=Bell.ASSESS.value)
def assess() -> None:
    """Score ready images in batches, and make heat maps while no film waits."""
    _until_nothing_is_left(
        lambda: explain_next(resources()) or assess_ready(resources()) > 0, Bell.ASSESS
    )


@app.task(name=Bell.SWEEP.value)
def sweep() -> None:
    """Ring again for what was forgotten."""
    sweep_once(resources())


@app.task(name=Bell.ANNOUNCE.value)
def announce() -> None:
    """Tell another system of flagged studies."""
    _until_nothing_is_left(lambda: announce_next(resources()), Bell.ANNOUNCE)


@app.task(name=Bell.NIGHTLY.value)
def nightly() -> None:
    """Queue what the active ensemble has not seen."""
    rescore(resources())


@app.task(name=Bell.RETENTION.value)
def retention() -> None:
    """Let go of originals that were kept long enough."""
    let_originals_go(resources())


@app.task(name=Bell.WATCH.value)
def watch() -> None:
    """Look for what a lead must be told."""
    watch_once(resources())


def _until_nothing_is_left(work: Callable[[], bool], bell: Bell) -> None:
    end = time.monotonic() + SLICE_SECONDS
    while work():
        if time.monotonic() > end:
            resources().ringer.ring(bell)
            return
