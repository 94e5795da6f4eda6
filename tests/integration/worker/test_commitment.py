"""Storage commitment: asked of Orthanc and of pynetdicom, answered at once or to the listener."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.transport import ThreadedAssociationServer

from db.destinations.queries import destination_counts, outgoing_results
from ingest.inbox.claim import Claim
from ingest.inbox.inbox_writer import InboxWriter
from ingest.receivers.listener import listening
from ingest.receivers.listener_config import ListenerConfig
from readfirst.destinations.commitment import CommitmentReport, report_of
from readfirst.destinations.forms import Form
from readfirst.destinations.states import SendingState
from readfirst.samples import FOLDER
from results.destinations import dicom
from results.destinations.dicom import CLASSES, DicomAddress
from results.destinations.kind import SendingFailed
from tests.support.destinations import a_destination, outgoing
from tests.support.orthanc import an_orthanc
from tests.support.ports import free_port
from tests.support.storescp import storescp
from tests.support.waiting import wait_until
from tests.support.workers import Worker
from worker.sending import commitments
from worker.sending.commitments import take_commitment

Drop = Callable[..., Claim]
COMMITMENT, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
#: Events of storage commitment (PS3.4 J.3.3): all is kept, or some is not.
ALL_KEPT, SOME_NOT = 1, 2


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@contextmanager
def the_listener(worker: Worker, inbox: Path) -> Iterator[int]:
    """ReadFirst's own listener; its port."""
    config = ListenerConfig(
        host="127.0.0.1",
        port=0,
        ae_title="READFIRST",
        calling=(),
        peers=(),
        associations=4,
        most_bytes=1_000_000,
    )
    writer = InboxWriter(inbox, "dicom", lambda: True)
    with listening(config, writer, partial(take_commitment, worker.database)) as listener:
        yield listener.port


@contextmanager
def a_pacs(answer: Callable[[evt.Event], None]) -> Iterator[int]:
    """A PACS that takes everything. answer: to a request for commitment. Gives its port."""

    def action(event: evt.Event) -> tuple[int, None]:
        answer(event)
        return 0, None

    ae = AE("PACS")
    for name in {*CLASSES.values(), COMMITMENT}:
        ae.add_supported_context(name)
    handlers: Any = [(evt.EVT_C_STORE, lambda _: 0), (evt.EVT_N_ACTION, action)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert isinstance(server, ThreadedAssociationServer)
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def the_answer(request: Dataset, failure: int | None = None) -> Dataset:
    answer = Dataset()
    answer.TransactionUID = request.TransactionUID
    for item in request.ReferencedSOPSequence:
        if failure is not None:
            item.FailureReason = failure
    if failure is None:
        answer.ReferencedSOPSequence = request.ReferencedSOPSequence
    else:
        answer.FailedSOPSequence = request.ReferencedSOPSequence
    return answer


def calling_back(port: int, requests: list[Dataset], failure: int | None = None) -> int:
    """Answer by an association of the PACS's own. Returns the status."""
    (request,) = requests
    ae = AE("PACS")
    ae.add_requested_context(COMMITMENT)
    from pynetdicom import build_role

    role = build_role(COMMITMENT, scu_role=False, scp_role=True)
    association = ae.associate("127.0.0.1", port, ae_title="READFIRST", ext_neg=[role])
    assert association.is_established
    answer = the_answer(request, failure)
    event_type = SOME_NOT if failure is not None else ALL_KEPT
    status, _ = association.send_n_event_report(answer, event_type, COMMITMENT, INSTANCE)
    association.release()
    return int(status.Status)


def destined(worker: Worker, port: int, ae_title: str = "PACS") -> None:
    address = {"host": "127.0.0.1", "port": port, "ae_title": ae_title, "commitment": True}
    with worker.database.write() as session:
        a_destination(session, "pacs", Form.SR, kind="dicom", address=address)


def sent(worker: Worker, drop: Drop) -> None:
    """A flagged study whose report is sent."""
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.score_all()
    worker.send_all()


def states(worker: Worker) -> list[str]:
    with worker.database.read() as session:
        return [state for _, _, state in outgoing(session)]


def reason(worker: Worker) -> str | None:
    with worker.database.read() as session:
        (row,) = outgoing_results(session, states=list(SendingState), limit=9)
    return row.reason


def test_orthanc_promises_to_keep_what_it_took(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    with the_listener(worker, tmp_path / "inbox") as port:
        modality = {"AET": "READFIRST", "Host": "127.0.0.1", "Port": port}
        with an_orthanc(tmp_path, {"DicomModalities": {"readfirst": modality}}) as orthanc:
            destined(worker, orthanc.dicom_port, "ORTHANC")
            sent(worker, drop)
            wait_until(lambda: states(worker) == ["committed"])


def test_a_pacs_that_calls_back_is_heard_and_says_what_it_does_not_keep(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    requests: list[Dataset] = []
    with (
        the_listener(worker, tmp_path / "inbox") as port,
        a_pacs(lambda event: requests.append(event.action_information)) as pacs,
    ):
        destined(worker, pacs)
        sent(worker, drop)
        assert states(worker) == ["sent"]
        with worker.database.read() as session:
            (counts,) = destination_counts(session).values()
        assert counts.uncommitted == 1
        assert calling_back(port, requests, 0x0213) == 0
    assert states(worker) == ["given_up"]
    assert reason(worker) == ("It was taken, but the destination does not keep it: it has no room.")
    assert list((tmp_path / "inbox").rglob("*.dcm")) == []


def test_an_answer_to_nothing_is_refused(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitments, "PATIENCE_SECONDS", 0.1)
    request = Dataset()
    request.TransactionUID = "1.2.3"
    request.ReferencedSOPSequence = []
    with the_listener(worker, tmp_path / "inbox") as port:
        assert calling_back(port, [request]) == 0x0110


@pytest.mark.parametrize("failure", [None, 0x0112])
def test_a_pacs_may_answer_by_the_same_association(
    worker: Worker, drop: Drop, failure: int | None
) -> None:
    def answer(event: evt.Event) -> None:
        event_type = SOME_NOT if failure is not None else ALL_KEPT
        report = the_answer(event.action_information, failure)
        event.assoc.send_n_event_report(report, event_type, COMMITMENT, INSTANCE)

    after: list[evt.Event] = []
    with a_pacs_that_answers_after(after, answer) as pacs:
        destined(worker, pacs)
        sent(worker, drop)
    assert states(worker) == ["committed" if failure is None else "waiting"]
    if failure is not None:
        assert "it does not have the object" in str(reason(worker))


@contextmanager
def a_pacs_that_answers_after(
    after: list[evt.Event], answer: Callable[[evt.Event], None]
) -> Iterator[int]:
    """A PACS that answers once its reply to the request has left."""
    import threading

    threads: list[threading.Thread] = []

    def later(event: evt.Event) -> None:
        after.append(event)
        thread = threading.Timer(0.1, answer, (event,))
        threads.append(thread)
        thread.start()

    with a_pacs(later) as port:
        yield port
    for thread in threads:
        thread.join()


def test_a_pacs_without_commitment_says_so_when_it_is_tried(tmp_path: Path) -> None:
    port = free_port()
    address = DicomAddress(host="127.0.0.1", port=port, ae_title="PACS", commitment=True)
    with (
        storescp(port, tmp_path / "kept"),
        pytest.raises(SendingFailed, match="gives no storage commitment"),
    ):
        dicom.test(address, (Form.SR,))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({"TransactionUID": "1.2"}, CommitmentReport("1.2", {})),
        ({"TransactionUID": "1.2", "FailedSOPSequence": [Dataset()]}, None),
    ],
)
def test_an_answer_that_is_none_is_no_answer(
    attributes: dict[str, Any], expected: CommitmentReport | None
) -> None:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    assert report_of(dataset) == expected
