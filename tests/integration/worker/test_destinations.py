"""Results sent to systems of others: DCMTK's storescp, and Orthanc by C-STORE and by STOW-RS."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from db.destinations.queries import outgoing_results
from ingest.inbox.claim import Claim
from readfirst.destinations.forms import Form
from readfirst.destinations.states import SendingState
from readfirst.samples import FOLDER
from results.destinations import dicom, stow
from results.destinations.dicom import DicomAddress
from results.destinations.kind import SendingFailed
from results.destinations.outgoing import DICOM_FORMS
from results.destinations.stow import StowAddress
from tests.support.destinations import a_destination, make_due, outgoing
from tests.support.orthanc import Orthanc, an_orthanc, with_dicomweb
from tests.support.ports import free_port
from tests.support.storescp import modalities, storescp
from tests.support.unresolved_names import no_name_is_resolved
from tests.support.workers import Worker

Drop = Callable[..., Claim]
ROOT = Path(__file__).parents[3]
FORMS = (Form.SR, Form.KOS)
#: pynetdicom leaves a socket to be closed by chance where nobody answers.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("orthanc")
    with an_orthanc(folder, with_dicomweb()) as server:
        yield server


def pacs(port: int, **values: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "ae_title": "PACS", "seconds": 10} | values


def in_orthanc(orthanc: Orthanc) -> dict[str, Any]:
    return pacs(orthanc.dicom_port, ae_title="ORTHANC")


def dicomweb(orthanc: Orthanc) -> dict[str, Any]:
    return {"url": f"http://127.0.0.1:{orthanc.http_port}/dicom-web"}


def destined(worker: Worker, name: str, kind: str, *forms: Form, **address: Any) -> None:
    with worker.database.write() as session:
        a_destination(session, name, *forms, kind=kind, address=address)


def scored(worker: Worker, drop: Drop) -> None:
    """A study that is flagged."""
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.score_all()


def states(worker: Worker) -> list[tuple[str, str, str]]:
    with worker.database.read() as session:
        return outgoing(session)


def reason(worker: Worker) -> str:
    with worker.database.read() as session:
        rows = outgoing_results(session, states=list(SendingState), limit=99)
    (text,) = {row.reason or "" for row in rows}
    return text


def test_storescp_gets_report_and_flag(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    port = free_port()
    destined(worker, "pacs", "dicom", *FORMS, **pacs(port))
    scored(worker, drop)
    with storescp(port, tmp_path / "kept"):
        assert "takes sr, kos" in dicom.test(DicomAddress(**pacs(port)), FORMS)
        worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent"), ("pacs", "kos", "sent")]
    assert modalities(tmp_path / "kept") == ["KO", "SR"]


def test_a_pacs_that_goes_down_and_comes_up_again_gets_everything(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    port = free_port()
    destined(worker, "pacs", "dicom", *FORMS, **pacs(port))
    destined(worker, "folder", "folder", Form.SR, path=str(tmp_path))
    scored(worker, drop)
    worker.send_all()
    waiting = [("pacs", "sr", "waiting"), ("pacs", "kos", "waiting")]
    assert states(worker) == [*waiting, ("folder", "sr", "sent")]
    with worker.database.read() as session:
        (text,) = {
            row.reason for row in outgoing_results(session, states=[SendingState.WAITING], limit=9)
        }
    assert text is not None
    assert text.startswith(f"Nothing answers at 127.0.0.1:{port} (Connection refused).")
    with storescp(port, tmp_path / "kept"):
        make_due(worker.database)
        worker.send_all()
    assert modalities(tmp_path / "kept") == ["KO", "SR"]
    assert {state for _, _, state in states(worker)} == {"sent"}


def test_a_pacs_that_hangs_up_in_the_middle_gets_it_at_the_next_attempt(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    port = free_port()
    destined(worker, "pacs", "dicom", *FORMS, **pacs(port))
    scored(worker, drop)
    with storescp(port, tmp_path / "kept", "--abort-during"):
        worker.send_all()
    assert {state for _, _, state in states(worker)} == {"waiting"}
    assert reason(worker) == f"127.0.0.1:{port} did not answer within 10 s, or hung up."
    with storescp(port, tmp_path / "kept"):
        make_due(worker.database)
        worker.send_all()
    assert {state for _, _, state in states(worker)} == {"sent"}


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_with_certificates_of_both_sides(
    worker: Worker, drop: Drop, tmp_path: Path, trusted: bool
) -> None:
    authority, stranger = (trustme.CA(key_type=trustme.KeyType.RSA) for _ in range(2))
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    (authority if trusted else stranger).cert_pem.write_to_path(tmp_path / "trusted.pem")
    server = certificate(authority, tmp_path / "server")
    client = certificate(authority, tmp_path / "client")
    address = pacs(
        (port := free_port()),
        tls=True,
        tls_ca=str(tmp_path / "trusted.pem"),
        tls_certificate=str(client[1]),
        tls_key=str(client[0]),
    )
    destined(worker, "pacs", "dicom", Form.SR, **address)
    scored(worker, drop)
    with storescp(port, tmp_path / "kept", "+tls", *server, "+cf", ca):
        worker.send_all()
        if trusted:
            assert "by TLS" in dicom.test(DicomAddress(**address), (Form.SR,))
    assert states(worker) == [("pacs", "sr", "sent" if trusted else "waiting")]
    if not trusted:
        assert reason(worker).startswith(f"TLS with 127.0.0.1:{port} fails: ")


def certificate(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """A key and a certificate as PEM files."""
    folder.mkdir()
    issued = authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.RSA)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return folder / "key.pem", folder / "certificate.pem"


def test_what_is_wrong_with_a_pacs_is_said_in_words(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(SendingFailed, match=f"Nothing answers at 127.0.0.1:{port}"):
        dicom.test(DicomAddress(**pacs(port)), FORMS)
    with (
        storescp(port, tmp_path / "kept", "--refuse"),
        pytest.raises(SendingFailed, match=r"PACS at .* rejects the association: .*READFIRST"),
    ):
        dicom.test(DicomAddress(**pacs(port)), FORMS)
    with storescp(port, tmp_path / "kept"):
        missing = pacs(port, tls=True, tls_ca=str(tmp_path / "none.pem"))
        with pytest.raises(SendingFailed, match=r"tls_ca: .*none.pem cannot be read"):
            dicom.test(DicomAddress(**missing), FORMS)


@pytest.mark.parametrize("kind", ["dicom", "stow"])
def test_orthanc_has_once_what_a_killed_worker_sent_twice(
    worker: Worker, drop: Drop, orthanc: Orthanc, kind: str
) -> None:
    address = in_orthanc(orthanc) if kind == "dicom" else dicomweb(orthanc)
    destined(worker, "pacs", kind, Form.SR, **address)
    scored(worker, drop)
    sender = [sys.executable, "-m", "tests.support.killable_result_sender"]
    url = worker.database.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [*sender, str(worker.settings.home_path), url], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.kill()
    assert states(worker) == [("pacs", "sr", "waiting")]
    before = orthanc.instances(study_of(worker, orthanc))
    assert not worker.send_next(), "the lease of the dead worker still runs"
    make_due(worker.database)
    worker.send_all()
    assert states(worker) == [("pacs", "sr", "sent")]
    assert orthanc.instances(study_of(worker, orthanc)) == before


def study_of(worker: Worker, orthanc: Orthanc) -> str:
    with worker.database.read() as session:
        (row,) = outgoing_results(session, states=list(SendingState), limit=9)
    return str(orthanc.find("Study", StudyInstanceUID=row.study_instance_uid)["ID"])


def test_orthanc_takes_every_form_by_both_ways(
    worker: Worker, drop: Drop, orthanc: Orthanc
) -> None:
    destined(worker, "store", "dicom", *FORMS, **in_orthanc(orthanc))
    destined(worker, "stow", "stow", *FORMS, **dicomweb(orthanc))
    assert "answers" in stow.test(StowAddress(**dicomweb(orthanc)), FORMS)
    assert "answers" in dicom.test(DicomAddress(**in_orthanc(orthanc)), DICOM_FORMS)
    scored(worker, drop)
    worker.send_all()
    assert {state for _, _, state in states(worker)} == {"sent"}


def test_what_is_wrong_with_a_dicomweb_server_is_said_in_words(
    orthanc: Orthanc, tmp_path: Path
) -> None:
    port, free = orthanc.http_port, free_port()
    cases = {
        f"http://127.0.0.1:{port}/none": r"There is nothing at .*/none/studies \(status 404\)",
        f"http://127.0.0.1:{free}/dicom-web": r"cannot be reached: .*",
        f"https://127.0.0.1:{port}/dicom-web": r"cannot be reached: .*",
    }
    for url, words in cases.items():
        with pytest.raises(SendingFailed, match=words):
            stow.test(StowAddress(url=url), FORMS)
    token = tmp_path / "token"
    address = StowAddress(url=f"http://127.0.0.1:{port}/dicom-web", token_file=token)
    with pytest.raises(SendingFailed, match=r"token_file: .* cannot be read \(No such file"):
        stow.test(address, FORMS)
    token.write_text("\n")
    with pytest.raises(SendingFailed, match="is empty"):
        stow.test(address, FORMS)


def test_a_name_that_is_not_resolved_has_no_more_time_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = StowAddress(url="http://pacs.example/dicom-web", seconds=1)
    with (
        no_name_is_resolved(monkeypatch),
        pytest.raises(SendingFailed, match="did not answer within 1 s"),
    ):
        stow.test(address, DICOM_FORMS)
