"""The ways in which a PACS may be odd, hostile or secured: TLS, tokens, and what it answers."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context

from ingest.inbox.inbox_writer import ARRIVING, InboxWriter
from ingest.pacs.client import PacsClient
from ingest.pacs.dimse_contexts import FIND, GET, MOVE
from ingest.pacs.open_client import open_client
from ingest.receivers.contexts import VERIFICATION
from ingest.receivers.listener import listening
from ingest.receivers.listener_config import ListenerConfig
from readfirst.errors import Misconfigured, SourceRefuses, SourceUnavailable
from readfirst.pacs.matches import RetrieveTarget, StudyQuery
from readfirst.pacs.source import PacsSource, Retrieval
from tests.support.pacs import MEGABYTE, a_config, a_film, in_inbox
from tests.support.waiting import in_background, wait_until

TARGET = RetrieveTarget("1.2.3")
BOUNDARY = "frontier"


def a_dimse_source(port: int, **changes: Any) -> PacsSource:
    source = PacsSource(
        name="s", retrieval=Retrieval.C_MOVE, host="localhost", port=port, ae_title="PACS"
    )
    return replace(source, **changes)


@dataclass
class Certificates:
    """Files in PEM: a CA, and a certificate of it with its key."""

    ca: Path
    certificate: Path
    key: Path


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    files = Certificates(tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem")
    authority.cert_pem.write_to_path(files.ca)
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files.key)
    return files


def a_server_context(files: Certificates, *, clients: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    if clients:
        context.load_verify_locations(files.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def a_secured_pacs(tmp_path: Path, files: Certificates) -> Iterator[int]:
    """A peer that speaks DICOM over TLS alone, with certificates of both sides; its port."""
    config = ListenerConfig(
        host="localhost",
        port=0,
        ae_title="PACS",
        calling=(),
        peers=(),
        associations=8,
        most_bytes=MEGABYTE,
        tls=a_server_context(files, clients=True),
    )
    with listening(config, InboxWriter(tmp_path / "pacs", "dicom", lambda: True)) as listener:
        yield listener.port


def test_tls_of_dimse_shows_and_wants_certificates(
    tmp_path: Path, certificates: Certificates
) -> None:
    files = {"tls": True, "tls_ca": certificates.ca}
    pair = {"tls_certificate": certificates.certificate, "tls_key": certificates.key}
    with a_secured_pacs(tmp_path, certificates) as port:
        # It answers; that it has no C-FIND is said of it.
        assert "answers, and does not accept C-FIND" in fault_of(
            a_dimse_source(port, **files, **pair), tmp_path
        )
        assert "its certificate is not trusted here" in fault_of(
            a_dimse_source(port, tls=True), tmp_path
        )
        assert "ends the connection" in fault_of(a_dimse_source(port, **files), tmp_path)
        assert "is TLS set as the PACS has it" in fault_of(a_dimse_source(port), tmp_path)


def test_a_certificate_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    for changes in ({"tls_ca": path}, {"tls_certificate": path, "tls_key": path}):
        source = a_dimse_source(1, tls=True, **changes)
        with pytest.raises(Misconfigured, match="in PEM"):
            open_client(source, a_config(tmp_path), threading.Event())


def fault_of(source: PacsSource, tmp_path: Path) -> str:
    """The sentence about a PACS that is not as it must be."""
    with (
        open_client(source, a_config(tmp_path), threading.Event()) as client,
        pytest.raises(SourceUnavailable) as fault,
    ):
        client.verify()
    return str(fault.value)


class SlowPacs:
    """A PACS that sends nothing and is never done, until it is cancelled."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.was_cancelled = threading.Event()
        ae = AE("PACS")
        ae.supported_contexts = [build_context(each) for each in (VERIFICATION, FIND, GET, MOVE)]
        handlers: list[Any] = [(evt.EVT_C_FIND, self._find), (evt.EVT_C_GET, self._get)]
        server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        assert server is not None
        self._server = server
        self.port = int(server.server_address[1])

    def __enter__(self) -> "SlowPacs":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()

    def _wait(self, event: Any) -> None:
        self.has_begun.set()
        wait_until(lambda: event.is_cancelled)
        self.was_cancelled.set()

    def _find(self, event: Any) -> Iterator[Any]:
        match = Dataset()
        match.QueryRetrieveLevel, match.StudyInstanceUID = "STUDY", "1.2.3"
        yield 0xFF00, match
        self._wait(event)
        yield 0xFE00, None

    def _get(self, event: Any) -> Iterator[Any]:
        yield 1
        self._wait(event)
        yield 0xFE00, Dataset()


@pytest.mark.parametrize("operation", ["find", "get"])
def test_whoever_ends_it_cancels_what_runs(operation: str, tmp_path: Path) -> None:
    stop = threading.Event()
    results: list[Any] = []
    with SlowPacs() as pacs:
        source = a_dimse_source(pacs.port, host="127.0.0.1", retrieval=Retrieval.C_GET)
        with open_client(source, a_config(tmp_path), stop) as client:
            ask: dict[str, Callable[[], Any]] = {
                "find": lambda: client.find_studies(StudyQuery()),
                "get": lambda: client.retrieve(TARGET),
            }
            with in_background(lambda: results.append(ask[operation]()), lambda: None):
                wait_until(pacs.has_begun.is_set)
                stop.set()
        assert pacs.was_cancelled.is_set()
    (result,) = results
    if operation == "get":
        assert result.cancelled
    else:
        assert [match.study_instance_uid for match in result] == ["1.2.3"]


@dataclass
class Web:
    """A DICOMweb server that answers what a test says, and notes what it was asked."""

    port: int
    answer: Callable[[str, dict[str, list[str]]], tuple[int, str, bytes]] = field(
        default=lambda *_: (200, "application/dicom+json", b"[]")
    )
    tokens: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def client(self, tmp_path: Path, **changes: Any) -> PacsClient:
        url = f"http://127.0.0.1:{self.port}/dicom-web"
        source = PacsSource(name="web", retrieval=Retrieval.DICOMWEB, url=url)
        return open_client(replace(source, **changes), a_config(tmp_path), threading.Event())


@contextmanager
def a_web(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    class DicomwebHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            opened.tokens.append(self.headers.get("Authorization"))
            opened.paths.append(parts.path)
            status, kind, body = opened.answer(parts.path, parse_qs(parts.query))
            self.send_response(status)
            self.send_header("Location" if status == 302 else "Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), DicomwebHandler)
    opened = Web(int(server.server_address[1]))
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with server, in_background(server.serve_forever, server.shutdown):
        yield opened


@pytest.fixture
def web() -> Iterator[Web]:
    with a_web() as opened:
        yield opened


def test_the_token_is_sent_and_read_anew(web: Web, tmp_path: Path) -> None:
    token = tmp_path / "token"
    for content in ("first", "second"):
        token.write_text(f"{content}\n")
        with web.client(tmp_path, token_file=token) as client:
            client.verify()
    assert web.tokens == ["Bearer first", "Bearer second"]


def test_no_redirect_takes_the_token_elsewhere(web: Web, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    with a_web() as other:
        # Another name is another host.
        web.answer = lambda *_: (302, f"http://localhost:{other.port}/studies", b"")
        with web.client(tmp_path, token_file=token) as client:
            client.verify()
    assert (web.tokens, other.tokens) == (["Bearer secret"], [None])


def test_https_wants_a_certificate_that_is_trusted(
    tmp_path: Path, certificates: Certificates
) -> None:
    with a_web(a_server_context(certificates, clients=False)) as web:
        url = f"https://127.0.0.1:{web.port}/dicom-web"
        with web.client(tmp_path, url=url, tls_ca=certificates.ca) as client:
            assert client.verify() == "QIDO-RS answered"
        with (
            web.client(tmp_path, url=url) as client,
            pytest.raises(SourceUnavailable, match="not one that is trusted"),
        ):
            client.verify()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "wants a token"), (403, "does not let"), (404, "nothing at this"), (500, "status 500")],
)
def test_a_refusal_is_a_sentence(web: Web, tmp_path: Path, status: int, sentence: str) -> None:
    web.answer = lambda *_: (status, "text/plain", b"no")
    with (
        web.client(tmp_path) as client,
        pytest.raises(SourceUnavailable, match=sentence),
    ):
        client.verify()


@pytest.mark.parametrize("body", [b"<html>", b'{"a": 1}', b"[1]", b'[{"0020000D": 3}]'])
def test_what_is_no_dicomweb_is_said_to_be_none(web: Web, tmp_path: Path, body: bytes) -> None:
    web.answer = lambda *_: (200, "application/dicom+json", body)
    with web.client(tmp_path) as client, pytest.raises(SourceUnavailable):
        client.find_studies(StudyQuery())


def studies(first: int, last: int) -> bytes:
    return json.dumps(
        [{"0020000D": {"vr": "UI", "Value": [f"1.2.{n}"]}} for n in range(first, last)]
    ).encode()


def test_pages_are_read_to_the_end_whatever_their_size(web: Web, tmp_path: Path) -> None:
    def page(_: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        offset = int(query["offset"][0])
        return 200, "application/dicom+json", studies(offset, min(offset + 2, 5))

    web.answer = page
    with web.client(tmp_path) as client:
        assert len(client.find_studies(StudyQuery())) == 5


def test_a_server_that_knows_no_offset_ends_it(web: Web, tmp_path: Path) -> None:
    web.answer = lambda *_: (200, "application/dicom+json", studies(0, 3))
    with web.client(tmp_path) as client:
        assert len(client.find_studies(StudyQuery())) == 3
    assert len(web.paths) == 2


def multipart(*films: bytes, preamble: bytes = b"", end: bytes = b"--\r\n") -> bytes:
    parts = [
        f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + film + b"\r\n"
        for film in films
    ]
    return preamble + b"".join(parts) + f"--{BOUNDARY}".encode() + end


KIND = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def retrieved(web: Web, tmp_path: Path, kind: str, body: bytes) -> Any:
    web.answer = lambda *_: (200, kind, body)
    with web.client(tmp_path) as client:
        return client.retrieve(TARGET)


@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"This is multipart.\r\n"])
def test_films_of_an_answer_are_all_taken(web: Web, tmp_path: Path, preamble: bytes) -> None:
    films = [a_film(), a_film()]
    result = retrieved(web, tmp_path, KIND, multipart(*films, preamble=preamble))
    assert (result.images, result.reason) == (2, None)
    contents = {path.read_bytes() for path in tmp_path.glob("pacs/*")}
    assert contents == set(films), "byte for byte"


def test_a_film_alone_is_taken_too(web: Web, tmp_path: Path) -> None:
    assert retrieved(web, tmp_path, "application/dicom", a_film()).images == 1
    assert len(in_inbox(tmp_path)) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (KIND, multipart(a_film())[:-200]),
        (KIND, multipart(a_film(), end=b"")),
        (KIND, b"nothing like it"),
        ("text/html", b"<html>"),
        ("multipart/related", multipart(a_film())),
    ],
    ids=["cut", "no end", "no parts", "a page", "no boundary"],
)
def test_an_answer_that_breaks_off_leaves_no_half_film(
    web: Web, tmp_path: Path, kind: str, body: bytes
) -> None:
    with pytest.raises(SourceUnavailable):
        retrieved(web, tmp_path, kind, body)
    assert not list((tmp_path / ARRIVING).iterdir())


def test_a_film_that_is_too_long_is_left_out(web: Web, tmp_path: Path) -> None:
    film = a_film()
    web.answer = lambda *_: (200, KIND, multipart(film, film + bytes(5000)))
    source = PacsSource(
        name="web", retrieval=Retrieval.DICOMWEB, url=f"http://127.0.0.1:{web.port}"
    )
    config = replace(a_config(tmp_path), most_bytes=len(film) + 100)
    with open_client(source, config, threading.Event()) as client:
        result = client.retrieve(TARGET)
    assert (result.images, result.failed) == (1, 1)
    assert len(in_inbox(tmp_path)) == 1
    assert not list((tmp_path / ARRIVING).iterdir())


def test_a_pacs_that_does_not_know_us_ends_it_at_once(tmp_path: Path) -> None:
    config = ListenerConfig(
        host="localhost",
        port=0,
        ae_title="PACS",
        calling=("FRIEND",),
        peers=(),
        associations=8,
        most_bytes=MEGABYTE,
    )
    writer = InboxWriter(tmp_path / "pacs", "dicom", lambda: True)
    with listening(config, writer) as listener:
        for title, sentence in (("PACS", "does not know our AE title"), ("X", "is another")):
            source = a_dimse_source(listener.port, ae_title=title)
            with (
                open_client(source, a_config(tmp_path), threading.Event()) as client,
                pytest.raises(SourceRefuses, match=sentence),
            ):
                client.verify()
