"""The way of a file from the inbox to its row: each step is a module, entered once and in order."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from types import FrameType

import pytest
from sqlalchemy import func, select

from db.tables import Arrival
from tests.support.files import a_dicom_file
from tests.support.workers import Worker

#: The modules of the way, in its order.
STEPS = {
    "ingest.inbox.watcher.inbox_watcher": "watch",
    "ingest.inbox.claim": "claim",
    "ingest.inbox.store": "store",
    "worker.intake.inspection": "inspect",
    "worker.intake.decision": "decide",
    "worker.intake.acceptance": "accept",
}


@contextmanager
def entered_steps(stop: threading.Event) -> Iterator[list[str]]:
    """Note the step of every call in this thread; set `stop` when a file has been accepted."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        step = STEPS.get(frame.f_globals.get("__name__", ""))
        if step is not None and event == "call":
            calls.append(step)
        if step == "accept" and event == "return" and frame.f_code.co_name == "accept":
            stop.set()

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def way(calls: list[str]) -> list[str]:
    """The steps from the first look of the watcher to the acceptance, repetitions left out."""
    steps = [step for step, _ in groupby(calls)]
    end = len(steps) - steps[::-1].index("accept")
    return steps[steps.index("watch") : end]


@pytest.mark.parametrize("content", ["a film", "no film"])
def test_a_file_enters_each_step_once_and_returns_to_none(worker: Worker, content: str) -> None:
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    if content == "a film":
        a_dicom_file(inbox / "film.dcm")
    else:
        (inbox / "notes.txt").write_text("no film")
    stop = threading.Event()
    with entered_steps(stop) as calls:
        worker.run_ingester(stop)
    assert way(calls) == list(STEPS.values())
    with worker.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Arrival)) == 1
