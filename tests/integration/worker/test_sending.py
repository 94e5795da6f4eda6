"""Results on their way from a score to a folder: sent at least once, and held back by no other."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from db.access.audit import entries
from db.destinations.queries import outgoing_results
from db.destinations.records import DestinationRecord
from db.lifecycle.sending.outcomes import send_again
from ingest.inbox.claim import Claim
from readfirst.destinations.forms import Form
from readfirst.destinations.states import SendingState
from readfirst.results.reasons import NO_RESULT_SENTENCES, NoResultCode
from readfirst.samples import FOLDER
from readfirst.tasks.names import TaskName
from results.destinations.outgoing import OutgoingObject
from tests.support.destinations import a_destination, make_due, outgoing
from tests.support.studies import NOBODY
from tests.support.workers import Worker

Drop = Callable[..., Claim]
#: Scored by 0.95, as the first film of every test is.
FLAGGED = FOLDER / "study-02.dcm"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def destined(worker: Worker, name: str, *forms: Form, **address: Any) -> DestinationRecord:
    with worker.database.write() as session:
        return a_destination(session, name, *forms, kind="folder", address=address)


def scored(worker: Worker, drop: Drop, film: Path = FLAGGED) -> None:
    worker.take_in(drop(film))
    worker.score_all()


def states(worker: Worker) -> list[tuple[str, str, str]]:
    with worker.database.read() as session:
        return outgoing(session)


def reasons(worker: Worker) -> set[str | None]:
    with worker.database.read() as session:
        rows = outgoing_results(session, states=list(SendingState), limit=99)
    return {row.reason for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "results"
    path.mkdir()
    return path


def test_report_and_flag_of_a_flagged_study_come_into_the_folder(
    worker: Worker, drop: Drop, folder: Path
) -> None:
    destined(worker, "pacs", path=str(folder))
    scored(worker, drop)
    assert TaskName.SEND in worker.notifier.notified
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent"), ("pacs", "kos", "sent")]
    written = [dcmread(path) for path in folder.rglob("*.dcm")]
    assert {dataset.Modality for dataset in written} == {"SR", "KO"}
    with worker.database.read() as session:
        noted = [entry for entry in entries(session, limit=9) if entry.action == "results_sent"]
    uids = {uid for entry in noted for uid in entry.detail["objects"]}
    assert uids == {dataset.SOPInstanceUID for dataset in written}


def test_what_is_sent_twice_is_there_once(worker: Worker, drop: Drop, folder: Path) -> None:
    destination = destined(worker, "pacs", Form.SR, path=str(folder))
    scored(worker, drop)
    worker.send_all()
    (before,) = folder.rglob("*.dcm")
    content = before.read_bytes()
    with worker.database.write() as session:
        (row,) = outgoing_results(session, states=[SendingState.SENT], limit=9)
        assert send_again(session, NOBODY, destination, datetime.now(UTC), [row.number]) == 1
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent")]
    (after,) = folder.rglob("*.dcm")
    assert (after, after.read_bytes()) == (before, content)


def test_a_folder_that_is_not_there_is_waited_for_and_keeps_no_other_back(
    worker: Worker, drop: Drop, folder: Path
) -> None:
    away = folder / "share"
    destined(worker, "away", Form.SR, path=str(away))
    destined(worker, "pacs", Form.SR, path=str(folder))
    scored(worker, drop)
    worker.send_all()
    assert states(worker) == [("away", "sr", "waiting"), ("pacs", "sr", "sent")]
    assert f"The folder {away} is not there. Make it, or mount the share it is on." in reasons(
        worker
    )
    assert not away.exists()
    assert not worker.send_next(), "it rests"
    away.mkdir()
    make_due(worker.database)
    worker.send_all()
    assert states(worker)[0] == ("away", "sr", "sent")


def test_a_full_disk_is_waited_for_and_leaves_no_half_file(
    worker: Worker, drop: Drop, small_disk: Path
) -> None:
    destined(worker, "pacs", Form.SR, path=str(small_disk))
    scored(worker, drop)
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "waiting")]
    assert reasons(worker) == {
        f"There is no room left at {small_disk}. Make room; the rest is sent by itself."
    }
    assert [path for path in small_disk.rglob("*") if path.is_file()] == [small_disk / "ballast"]
    (small_disk / "ballast").unlink()
    make_due(worker.database)
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent")]
    assert len(list(small_disk.rglob("*.dcm"))) == 1


def test_of_a_picture_there_is_no_result_and_the_row_says_why(
    worker: Worker, drop: Drop, folder: Path
) -> None:
    destined(worker, "pacs", Form.SR, path=str(folder))
    scored(worker, drop, FOLDER / "film-02.jpg")
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "not_made")]
    assert reasons(worker) == {NO_RESULT_SENTENCES[NoResultCode.PICTURE]}


def test_what_waits_where_the_store_is_away_is_no_fault_of_the_result(
    worker: Worker, drop: Drop, folder: Path
) -> None:
    destined(worker, "pacs", Form.SR, path=str(folder))
    scored(worker, drop)
    store = worker.settings.store_path
    store.rename(store.with_name("away"))
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "waiting")]
    store.with_name("away").rename(store)
    make_due(worker.database)
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent")]


def test_a_silent_site_sends_nothing_that_waited_before(
    worker: Worker, drop: Drop, folder: Path
) -> None:
    destined(worker, "pacs", Form.SR, path=str(folder))
    scored(worker, drop)
    silent = worker.with_settings(mode="silent")
    assert not silent.send_next()
    silent.notifier.notified.clear()
    silent.sweep_once()
    assert TaskName.SEND not in silent.notifier.notified
    worker.sweep_once()
    assert TaskName.SEND in worker.notifier.notified
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent")]


def test_an_address_that_is_wrong_by_now_says_so(worker: Worker, drop: Drop) -> None:
    destined(worker, "pacs", Form.SR, path="srv")
    scored(worker, drop)
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "waiting")]
    (reason,) = reasons(worker)
    assert reason is not None
    assert reason.startswith("path: must be an absolute path")


def test_what_nobody_thought_of_is_told_and_keeps_no_other_back(
    worker: Worker, drop: Drop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from results.destinations.folder import FolderConnection

    send = FolderConnection.send

    def fail_for_reports(self: FolderConnection, objects: Sequence[OutgoingObject]) -> None:
        if objects[0].form is Form.SR:
            raise KeyError("a tag")
        send(self, objects)

    monkeypatch.setattr(FolderConnection, "send", fail_for_reports)
    destined(worker, "pacs", path=str(folder))
    scored(worker, drop)
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "waiting"), ("pacs", "kos", "sent")]
    assert "It could not be sent (KeyError)." in reasons(worker)
