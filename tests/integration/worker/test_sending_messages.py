"""Results sent as messages: by MLLP to receivers of others, and to a FHIR server."""

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from db.access.audit import entries
from db.destinations.queries import outgoing_results
from db.destinations.records import DestinationRecord
from db.lifecycle.sending.outcomes import send_again
from ingest.inbox.claim import Claim
from models.manifest import shipped_version
from readfirst.destinations.forms import Form, Studies
from readfirst.destinations.states import SendingState
from readfirst.errors import Misconfigured
from readfirst.results.hl7.oru import default_template
from readfirst.samples import FOLDER
from readfirst.testing import FixedEnsemble
from results.destinations import fhir, mllp
from results.destinations.fhir import FhirAddress
from results.destinations.kind import SendingFailed
from results.destinations.kinds import checked_address
from results.destinations.mllp import MLLP, MllpAddress
from tests.support.destinations import a_destination, make_due, outgoing
from tests.support.fhir_server import FhirStore, a_fhir_server
from tests.support.hl7_receiver import acknowledges, an_hl7_receiver
from tests.support.ports import free_port
from tests.support.studies import NOBODY
from tests.support.workers import Worker

Drop = Callable[..., Claim]
ROOT = Path(__file__).parents[3]
NODE = ROOT / ".venv" / "bin" / "node"
#: Of the film that is sent.
PATIENT = ("DEMO-0010", "Beispiel", "Jonas", "20210702")
REFUSAL = "No patient DEMO-0010 (Jonas BEISPIEL, 2021-07-02) here"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def scored(worker: Worker, drop: Drop) -> None:
    """Take in a study that is flagged."""
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.score_all()


def destined(worker: Worker, kind: str, form: Form, **address: Any) -> DestinationRecord:
    with worker.database.write() as session:
        return a_destination(session, "ris", form, kind=kind, address=address, studies=Studies.ALL)


def to_ris(worker: Worker, port: int, **address: Any) -> DestinationRecord:
    return destined(worker, "mllp", Form.ORU, host="127.0.0.1", port=port, **address)


def states(worker: Worker) -> list[str]:
    with worker.database.read() as session:
        return [state for _, _, state in outgoing(session)]


def reason(worker: Worker) -> str:
    with worker.database.read() as session:
        (row,) = outgoing_results(session, states=list(SendingState), limit=9)
    return row.reason or ""


def again(worker: Worker, destination: DestinationRecord) -> None:
    """Send once more what was sent."""
    with worker.database.write() as session:
        rows = outgoing_results(session, states=[SendingState.SENT], limit=9)
        assert send_again(
            session, NOBODY, destination, datetime.now(UTC), [row.number for row in rows]
        )
    worker.send_all()


def test_a_flagged_study_comes_to_the_ris_and_is_noted(worker: Worker, drop: Drop) -> None:
    with an_hl7_receiver(acknowledges("AA")) as ris, capture_logs() as logs:
        destination = to_ris(worker, ris.port)
        scored(worker, drop)
        worker.send_all()
        again(worker, destination)
    first, second = ris.messages
    assert str(first) == str(second), "twice is once: the same bytes, the same control ID"
    assert str(first.segment("TQ1")[9]) == "A^ASAP^HL70485"
    assert str(first.segment("PID")[5]) == "Beispiel^Jonas"
    assert states(worker) == ["sent"]
    with worker.database.read() as session:
        noted = [each for each in entries(session, limit=9) if each.action == "results_sent"]
    assert noted[0].detail["objects"] == [str(first.segment("MSH")[10])]
    assert not [value for value in PATIENT if value in str(logs) + str(noted)]


def test_each_message_has_a_connection_of_its_own(worker: Worker, drop: Drop) -> None:
    with an_hl7_receiver(acknowledges("CA")) as ris:
        to_ris(worker, ris.port)
        scored(worker, drop)
        worker.take_in(drop(FOLDER / "study-03.dcm"))
        worker.score_all()
        worker.send_all()
    assert (states(worker), ris.connections, len(ris.messages)) == (["sent"] * 2, 2, 2)


def test_what_is_not_flagged_names_no_priority(worker: Worker, drop: Drop) -> None:
    worker = worker.with_ensemble(FixedEnsemble([0.1], version=shipped_version()))
    with an_hl7_receiver(acknowledges("AA")) as ris:
        to_ris(worker, ris.port)
        scored(worker, drop)
        worker.send_all()
    (message,) = ris.messages
    assert "TQ1|" not in str(message)


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
def test_a_refusal_is_told_in_the_words_of_the_ris_but_without_the_patient(
    worker: Worker, drop: Drop, code: str
) -> None:
    more = f"ERR|||204^Unknown key identifier^HL70357|E||||{REFUSAL}\r"
    with an_hl7_receiver(acknowledges(code, "Rejected", more)) as ris, capture_logs() as logs:
        to_ris(worker, ris.port)
        scored(worker, drop)
        worker.send_all()
        for _ in range(9):
            make_due(worker.database)
            worker.send_all()
    assert states(worker) == ["given_up"]
    assert len(ris.messages) == 10
    text = reason(worker)
    assert f"127.0.0.1:{ris.port} refuses the message ({code}): Rejected No patient …" in text
    assert not [value for value in (*PATIENT, "2021-07-02") if value.lower() in str(logs).lower()]
    assert not [value for value in (*PATIENT, "2021-07-02") if value.lower() in text.lower()]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "hung up before it acknowledged"),
        (b"HTTP/1.1 400 Bad Request", "answers, but not by an HL7 acknowledgement"),
        (b"MSH|^~\\&|A\rPID|", "answers, but not by an HL7 acknowledgement"),
        (b"MSH|^~\\&|A\rMSA|AA|ANOTHER", "acknowledges another message than was sent"),
    ],
)
def test_an_answer_that_is_none_is_waited_for(
    worker: Worker, drop: Drop, answer: bytes | None, sentence: str
) -> None:
    with an_hl7_receiver(lambda _: answer) as ris:
        to_ris(worker, ris.port)
        scored(worker, drop)
        worker.send_all()
        assert states(worker) == ["waiting"]
        assert sentence in reason(worker)
        ris.answer = acknowledges("AA")
        make_due(worker.database)
        worker.send_all()
    assert states(worker) == ["sent"]


def test_an_acknowledgement_is_read_as_receivers_write_it(worker: Worker, drop: Drop) -> None:
    with an_hl7_receiver(lambda _: b"MSH|^~\\&|A\nMSA|AA|\n") as ris:
        to_ris(worker, ris.port)
        scored(worker, drop)
        worker.send_all()
    assert states(worker) == ["sent"]


def test_a_ris_that_says_nothing_is_waited_for_no_longer_than_told(
    worker: Worker, drop: Drop
) -> None:
    with an_hl7_receiver(lambda _: b"\x1c") as ris:
        to_ris(worker, ris.port, seconds=1)
        scored(worker, drop)
        worker.send_all()
    assert states(worker) == ["waiting"]


def test_a_ris_that_is_down_is_named(worker: Worker, drop: Drop) -> None:
    port = free_port()
    to_ris(worker, port)
    scored(worker, drop)
    worker.send_all()
    assert states(worker) == ["waiting"]
    assert f"Nothing answers at 127.0.0.1:{port} (Connection refused). Is it" in reason(worker)
    with pytest.raises(SendingFailed, match="Nothing answers"):
        mllp.test(MllpAddress(host="127.0.0.1", port=port), (Form.ORU,))


def test_messages_go_by_tls_and_only_to_who_is_trusted(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    ca, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    authority.cert_pem.write_to_path(ca)
    stranger.cert_pem.write_to_path(other)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with an_hl7_receiver(acknowledges("AA"), context) as ris:
        address = {"host": "127.0.0.1", "port": ris.port, "tls": True}
        with pytest.raises(SendingFailed, match=r"TLS with .* fails"):
            mllp.test(MllpAddress(**address, tls_ca=other), (Form.ORU,))
        assert "by TLS" in mllp.test(MllpAddress(**address, tls_ca=ca), (Form.ORU,))
        to_ris(worker, ris.port, tls=True, tls_ca=str(ca))
        scored(worker, drop)
        worker.send_all()
    assert states(worker) == ["sent"]


@contextmanager
def a_node_server(code: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Run the package node-hl7-server, an implementation by others."""
    command = [str(NODE), "tests/support/node_hl7_server.mjs", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline()), server
        finally:
            server.kill()


@pytest.mark.parametrize(("code", "state"), [("AA", "sent"), ("AE", "waiting"), ("AR", "waiting")])
def test_a_foreign_server_takes_and_refuses(
    worker: Worker, drop: Drop, code: str, state: str
) -> None:
    with a_node_server(code) as (port, server):
        to_ris(worker, port)
        scored(worker, drop)
        worker.send_all()
        assert server.stdout is not None
        kind, control_id, name, results = json.loads(server.stdout.readline())
    assert (kind, name) == ("ORU", "Beispiel")
    assert control_id.startswith("RF")
    assert results.startswith("OBX|1|ST|113014")
    assert states(worker) == [state]


def test_a_template_that_broke_waits_for_whoever_mends_it(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    template = tmp_path / "oru.jinja"
    template.write_text(default_template().text)
    changed = worker.settings.model_copy(update={"oru_template": template})
    worker = Worker(changed, worker.database, worker.reader, worker.ensembles)
    with an_hl7_receiver(acknowledges("AA")) as ris:
        to_ris(worker, ris.port)
        scored(worker, drop)
        template.write_text(default_template().text.replace("PID|", "ZID|"))
        worker.send_all()
        assert states(worker) == ["waiting"]
        assert "must have one PID segment" in reason(worker)
        template.write_text(default_template().text)
        make_due(worker.database)
        worker.send_all()
    assert states(worker) == ["sent"]


def test_two_systems_have_messages_of_their_own(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    template = tmp_path / "other.jinja"
    template.write_text(default_template().text.replace("OBX||ST", "ZDS|{{ study.uid }}\nOBX||ST"))
    own = {"template": str(template), "applications": "READFIRST|RAD|EPR|HOSP"}
    with an_hl7_receiver(acknowledges("AA")) as ris, an_hl7_receiver(acknowledges("AA")) as other:
        to_ris(worker, ris.port)
        with worker.database.write() as session:
            address = {"host": "127.0.0.1", "port": other.port} | own
            a_destination(session, "other", Form.ORU, kind="mllp", address=address)
        scored(worker, drop)
        worker.send_all()
    (first,), (second,) = ris.messages, other.messages
    assert (str(first.segment("MSH")[5]), str(second.segment("MSH")[5])) == ("", "EPR")
    assert "ZDS|" in str(second)
    assert "ZDS|" not in str(first)
    assert str(first.segment("MSH")[10]) != str(second.segment("MSH")[10])


def test_a_destination_with_a_template_that_lowers_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "other.jinja"
    template.write_text(default_template().text.replace("A^ASAP^HL70485", "R"))
    values: dict[str, Any] = {"host": "ris.example", "port": 2575, "template": str(template)}
    with pytest.raises(Misconfigured, match=r"template: .*a result may only raise\.$"):
        checked_address(MLLP, values)
    with pytest.raises(Misconfigured, match="applications must be four names"):
        checked_address(MLLP, {"host": "ris", "port": 1, "applications": "READFIRST"})


def test_messages_come_into_a_folder_for_an_interface_engine(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    with worker.database.write() as session:
        a_destination(
            session, "engine", Form.ORU, Form.FHIR, kind="folder", address={"path": str(tmp_path)}
        )
    scored(worker, drop)
    worker.send_all()
    assert states(worker) == ["sent", "sent"]
    assert sorted(path.suffix for path in tmp_path.rglob("*-*.*")) == [".hl7", ".json"]


@pytest.fixture
def server() -> Iterator[FhirStore]:
    with a_fhir_server() as opened:
        yield opened


def to_record(worker: Worker, server: FhirStore, **address: Any) -> DestinationRecord:
    return destined(worker, "fhir", Form.FHIR, url=server.address, **address)


def test_a_fhir_server_has_a_result_once(worker: Worker, drop: Drop, server: FhirStore) -> None:
    destination = to_record(worker, server)
    scored(worker, drop)
    worker.send_all()
    before = dict(server.resources)
    again(worker, destination)
    assert (states(worker), server.transactions) == (["sent"], 2)
    assert server.resources == before
    by_kind = {kind: resource for (kind, _), resource in before.items()}
    assert set(by_kind) == {"Device", "ImagingStudy", "Observation", "DiagnosticReport"}
    (reference,) = by_kind["DiagnosticReport"]["result"]
    assert reference["reference"] == f"Observation/{by_kind['Observation']['id']}"


def test_what_a_fhir_server_knows_of_a_study_stays(
    worker: Worker, drop: Drop, server: FhirStore
) -> None:
    destination = to_record(worker, server)
    scored(worker, drop)
    worker.send_all()
    (key,) = (key for key in server.resources if key[0] == "ImagingStudy")
    server.resources[key]["numberOfSeries"] = 4
    again(worker, destination)
    assert server.resources[key]["numberOfSeries"] == 4


def test_a_fhir_servers_refusal_is_told_without_the_patient(
    worker: Worker, drop: Drop, server: FhirStore
) -> None:
    server.refusal = REFUSAL
    to_record(worker, server)
    with capture_logs() as logs:
        scored(worker, drop)
        worker.send_all()
    assert states(worker) == ["waiting"]
    assert "refuses the transaction (status 422): No patient …" in reason(worker)
    text = (reason(worker) + str(logs)).lower()
    assert not [value for value in (*PATIENT, "2021-07-02") if value.lower() in text]
    server.refusal = None
    make_due(worker.database)
    worker.send_all()
    assert states(worker) == ["sent"]


def test_a_token_is_shown_to_a_fhir_server(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("wrong\n")
    with a_fhir_server("let-me-in") as server:
        to_record(worker, server, token_file=str(token))
        scored(worker, drop)
        worker.send_all()
        assert "does not let us in (status 401)" in reason(worker)
        token.write_text("let-me-in\n")
        make_due(worker.database)
        worker.send_all()
    assert states(worker) == ["sent"]


def test_a_fhir_server_is_tried_by_its_statement(server: FhirStore) -> None:
    address = FhirAddress(url=server.address)
    assert "speaks FHIR 4.0.1" in fhir.test(address, (Form.FHIR,))
    server.version = "5.0.0"
    with pytest.raises(SendingFailed, match=r"speaks FHIR 5.0.0; R4"):
        fhir.test(address, (Form.FHIR,))
    with pytest.raises(SendingFailed, match="nothing at"):
        fhir.test(FhirAddress(url=server.address.replace("/r4", "/other")), (Form.FHIR,))
