"""Upload and STOW-RS: what comes by the page's server, over the application and over sockets."""

import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian

from db.migrate import upgrade
from db.session import open_database
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.files import a_dataset, a_gradient, dicom_bytes
from tests.support.serving import served
from tests.support.waiting import TIMEOUT, wait_until
from worklist.app import make_app
from worklist.http.static_files import PREFIX
from worklist.upload_endpoints.multipart import MOST_PARTS

STUDIES = "/dicom-web/studies"
RELATED = 'multipart/related; type="application/dicom"; boundary=cut'
CANNOT_UNDERSTAND, CLASS_UNSUPPORTED = 0xC000, 0x0122


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A single kind of database is enough: nothing here is written to it."""
    monkeypatch.chdir(tmp_path)
    return Settings(home=tmp_path / "home", upload_megabytes=2, decode_seconds=TIMEOUT)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as opened:
        yield opened


def arrived(settings: Settings, way: str) -> list[Path]:
    return sorted((settings.inbox_path / way).iterdir())


def arriving(settings: Settings) -> list[Path]:
    return list((settings.inbox_path / ".arriving").iterdir())


def related(*parts: bytes, kind: str = "application/dicom") -> bytes:
    """A multipart/related body (RFC 2387) with the boundary `cut`."""
    head = f"--cut\r\nContent-Type: {kind}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + b"--cut--\r\n"


def store(client: TestClient, *parts: bytes, study: str = "", **headers: str) -> Any:
    path = f"{STUDIES}/{study}" if study else STUDIES
    content_type = {"Content-Type": RELATED}
    return client.post(path, content=related(*parts), headers=content_type | headers)


def failures(answer: Any, tag: str = "00081198") -> list[int]:
    items = answer.json().get(tag, {"Value": []})["Value"]
    return [item["00081197"]["Value"][0] for item in items]


@pytest.mark.usefixtures("shared_reader")
def test_instances_are_stored_as_they_were_sent(client: TestClient, settings: Settings) -> None:
    datasets = [a_dataset(a_gradient()) for _ in range(2)]
    sent = [dicom_bytes(dataset) for dataset in datasets]
    answer = store(client, *sent, Accept="application/dicom+json")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    assert answer.json() == {
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [dataset.SOPClassUID]},
                    "00081155": {"vr": "UI", "Value": [dataset.SOPInstanceUID]},
                }
                for dataset in datasets
            ],
        }
    }
    assert sorted(path.read_bytes() for path in arrived(settings, "dicomweb")) == sorted(sent)
    assert arriving(settings) == []


@pytest.mark.usefixtures("shared_reader")
def test_some_instances_that_fail_are_named_and_the_others_are_stored(
    client: TestClient, settings: Settings
) -> None:
    good = a_dataset(a_gradient())
    tomography = a_dataset(a_gradient(), SOPClassUID=CTImageStorage)
    parts = [dicom_bytes(good), dicom_bytes(tomography), b"no DICOM at all", b""]
    answer = store(client, *parts)
    assert answer.status_code == 202
    assert len(answer.json()["00081199"]["Value"]) == 1
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081155"]["Value"] == [tomography.SOPInstanceUID]
    assert failed["00081197"] == {"vr": "US", "Value": [CLASS_UNSUPPORTED]}
    # Nobody knows what these two were called.
    assert failures(answer, "0008119A") == [CANNOT_UNDERSTAND, CANNOT_UNDERSTAND]
    assert len(arrived(settings, "dicomweb")) == 1
    assert arriving(settings) == []


@pytest.mark.usefixtures("shared_reader")
def test_instances_of_another_study_are_a_conflict(client: TestClient, settings: Settings) -> None:
    first, other = a_dataset(a_gradient()), a_dataset(a_gradient())
    right = store(client, dicom_bytes(first), study=first.StudyInstanceUID)
    wrong = store(client, dicom_bytes(other), study=first.StudyInstanceUID)
    assert (right.status_code, wrong.status_code) == (200, 409)
    assert failures(wrong) == [CANNOT_UNDERSTAND]
    assert len(arrived(settings, "dicomweb")) == 1


@pytest.mark.usefixtures("shared_reader")
@pytest.mark.parametrize("cut", [1, 200, 2000], ids=str)
def test_a_truncated_instance_fails(client: TestClient, settings: Settings, cut: int) -> None:
    answer = store(client, dicom_bytes(a_dataset(a_gradient()))[:-cut])
    assert answer.status_code == 409
    assert arrived(settings, "dicomweb") == []


@pytest.mark.usefixtures("shared_reader")
def test_a_deflated_bomb_is_no_worse_than_any_other_file(
    client: TestClient, settings: Settings
) -> None:
    dataset = a_dataset(a_gradient())
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.ImageComments = "x" * 10_000
    answer = store(client, dicom_bytes(dataset))
    assert answer.status_code in (200, 409)
    assert arriving(settings) == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/dicom", b"", 415),
        ("multipart/form-data; boundary=cut", related(b"x"), 415),
        ('multipart/related; type="application/dicom+xml"; boundary=cut', related(b"x"), 415),
        (RELATED, related(b"x", kind="application/dicom+json"), 415),
        ('multipart/related; type="application/dicom"', related(b"x"), 400),
        (RELATED, b"", 400),
        (RELATED, b"--cut--\r\n", 400),
        (RELATED, related(b"x")[:-9], 400),
        (RELATED, b"--other\r\n\r\nx\r\n--other--\r\n", 400),
        (f"{RELATED}{'t' * 300}", related(b"x"), 400),
    ],
)
def test_requests_that_are_not_as_the_standard_has_them(
    client: TestClient, settings: Settings, content_type: str, body: bytes, status: int
) -> None:
    answer = client.post(STUDIES, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert arriving(settings) == arrived(settings, "dicomweb") == []


def test_an_answer_in_xml_is_not_given(client: TestClient) -> None:
    assert store(client, b"x", Accept="application/dicom+xml").status_code == 406


def test_files_of_any_kind_are_uploaded(client: TestClient, settings: Settings) -> None:
    films = [FOLDER / "study-01.dcm", FOLDER / "film-01.jpg"]
    files = [("files", (film.name, film.read_bytes())) for film in films]
    answer = client.post("/api/v1/uploads", files=files, data={"note": "left out"})
    assert answer.status_code == 202
    digests = [sha256(film.read_bytes()).hexdigest() for film in films]
    assert answer.json() == [
        {
            "file_name": film.name,
            "bytes": film.stat().st_size,
            "sha256": digest,
            "href": f"/api/v1/uploads/{digest}",
            "already_here": False,
        }
        for film, digest in zip(films, digests, strict=True)
    ]
    outcome = client.get(answer.json()[0]["href"]).json()
    assert (outcome["state"], outcome["done"]) == ("not_taken_in", False)
    contents = {path.read_bytes() for path in arrived(settings, "upload")}
    assert contents == {film.read_bytes() for film in films}
    assert arriving(settings) == []


@pytest.mark.parametrize("name", ["../../up.dcm", "/etc/up", "..", "a\\..\\b", "Zoë 胸.dcm", "\0"])
def test_no_name_of_a_sender_becomes_a_path(
    client: TestClient, settings: Settings, name: str
) -> None:
    answer = client.post("/api/v1/uploads", files=[("files", (name, b"content"))])
    assert answer.status_code == 202
    (path,) = arrived(settings, "upload")
    assert path.name.isalnum()


#: What RFC 2046 5.1.1 allows around a body and behind its boundaries.
PREAMBLES = {
    "a sentence": b"This is a multi-part message in MIME format.\r\n",
    "an empty line": b"\r\n",
    "lines": b"one\r\n\r\ntwo: three\r\n",
    "like a boundary": b"--cu\r\n --cut\r\n--cutt\r\n",
    "long": b"x" * 100_000 + b"\r\n",
    "more than one chunk": b"-\r\n" * 50_000,
}
PADDINGS = {"spaces": b"  ", "a tab": b"\t", "both": b" \t "}


@pytest.mark.usefixtures("shared_reader")
@pytest.mark.parametrize("preamble", PREAMBLES.values(), ids=PREAMBLES)
@pytest.mark.parametrize("piece", [7, 1 << 20], ids=str)
def test_what_stands_before_the_first_boundary_is_ignored(
    client: TestClient, settings: Settings, preamble: bytes, piece: int
) -> None:
    sent = [dicom_bytes(a_dataset(a_gradient(8, 8))) for _ in range(2)]
    body = (preamble + related(*sent))[:1_000_000]
    pieces = (body[at : at + piece] for at in range(0, len(body), piece))
    answer = client.post(STUDIES, content=pieces, headers={"Content-Type": RELATED})
    assert answer.status_code == 200, answer.text
    assert sorted(path.read_bytes() for path in arrived(settings, "dicomweb")) == sorted(sent)


@pytest.mark.usefixtures("shared_reader")
@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS)
def test_white_space_may_follow_each_boundary(
    client: TestClient, settings: Settings, padding: bytes
) -> None:
    sent = [dicom_bytes(a_dataset(a_gradient(8, 8))) for _ in range(2)]
    body = related(*sent).replace(b"--cut\r\n", b"--cut" + padding + b"\r\n")
    body = body.replace(b"--cut--\r\n", b"--cut--" + padding + b"\r\nan epilogue\r\n--cut\r\n")
    answer = client.post(STUDIES, content=body, headers={"Content-Type": RELATED})
    assert answer.status_code == 200, answer.text
    assert sorted(path.read_bytes() for path in arrived(settings, "dicomweb")) == sorted(sent)


def test_a_form_may_have_a_preamble_too(client: TestClient, settings: Settings) -> None:
    head = b'--cut \r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = b"a preamble\r\n" + head + b"content\r\n--cut-- \r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    assert client.post("/api/v1/uploads", content=body, headers=headers).status_code == 202
    (path,) = arrived(settings, "upload")
    assert path.read_bytes() == b"content"


def test_a_preamble_alone_is_no_body(client: TestClient, settings: Settings) -> None:
    answer = client.post(STUDIES, content=b"a preamble\r\n", headers={"Content-Type": RELATED})
    assert answer.status_code == 400
    assert arriving(settings) == arrived(settings, "dicomweb") == []


def test_a_form_without_a_file_is_no_upload(client: TestClient, settings: Settings) -> None:
    nothing_chosen = [("files", ("", b""))]
    assert client.post("/api/v1/uploads", files=nothing_chosen).status_code == 400
    assert client.post("/api/v1/uploads", json={}).status_code == 415
    assert arrived(settings, "upload") == []


@pytest.mark.parametrize("piece", [1, 3, 64], ids=str)
def test_content_stays_whole_wherever_the_network_cuts_it(
    client: TestClient, settings: Settings, piece: int
) -> None:
    tricky = b"\r\n--cu\r\n\r\n-- cut--\r\r\n--cutt"
    head = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = head + tricky + b"\r\n--cut--\r\n"
    pieces = (body[at : at + piece] for at in range(0, len(body), piece))
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    assert client.post("/api/v1/uploads", content=pieces, headers=headers).status_code == 202
    (path,) = arrived(settings, "upload")
    assert path.read_bytes() == tricky


def test_parts_beyond_all_reason_are_not_opened(client: TestClient, settings: Settings) -> None:
    many = [("files", ("a", b""))] * (MOST_PARTS + 1)
    assert client.post("/api/v1/uploads", files=many).status_code == 400
    assert arrived(settings, "upload") == arriving(settings) == []


@pytest.mark.parametrize("path", ["/api/v1/uploads", STUDIES])
def test_a_body_beyond_the_bound_is_refused_announced_or_not(
    client: TestClient, settings: Settings, path: str
) -> None:
    head = b'--cut\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = head + b"x" * 3_000_000 + b"\r\n--cut--\r\n"
    kind = RELATED if path == STUDIES else "multipart/form-data; boundary=cut"
    headers = {"Content-Type": kind}
    announced = client.post(path, content=body, headers=headers)
    pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
    chunked = client.post(path, content=pieces, headers=headers)
    assert (announced.status_code, chunked.status_code) == (413, 413)
    assert arriving(settings) == []


def test_no_other_request_may_be_long(client: TestClient) -> None:
    answer = client.request("GET", "/api/v1/worklist", content=b"x" * 100_000)
    assert answer.status_code == 413
    assert client.request("GET", "/api/v1/worklist", content=b"x" * 1000).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 202),
        ({"Origin": "http://testserver"}, 202),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
    ],
)
def test_pages_of_other_sites_may_not_send(
    client: TestClient, settings: Settings, headers: dict[str, str], status: int
) -> None:
    files = [("files", ("film.dcm", b"content" * 20_000))]
    assert client.post("/api/v1/uploads", files=files, headers=headers).status_code == status
    assert len(arrived(settings, "upload")) == (status == 202)


def test_without_room_nothing_is_taken_and_the_sender_may_come_again(
    settings: Settings,
) -> None:
    full = settings.model_copy(update={"min_free_megabytes": 10**9})
    with TestClient(make_app(full)) as client:
        uploaded = client.post("/api/v1/uploads", files=[("files", ("a", b"b"))])
        stored = store(client, dicom_bytes(a_dataset(a_gradient())))
    for answer in (uploaded, stored):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert arrived(settings, "upload") == arrived(settings, "dicomweb") == arriving(settings) == []


def test_the_page_has_the_control_and_nothing_inline(client: TestClient) -> None:
    page = client.get("/").text
    assert '<form id="upload" action="/api/v1/uploads"' in page
    assert f'<script src="{PREFIX}/common/upload.js" type="module"></script>' in page
    assert client.get("/static/common/upload.js").status_code == 200


def a_database(settings: Settings) -> None:
    settings.home_path.mkdir()
    database = open_database(settings.database)
    upgrade(database)
    database.dispose()


def test_a_sender_that_breaks_off_leaves_nothing(settings: Settings) -> None:
    a_database(settings)
    body = related(b"x" * 1_000_000)
    head = (
        f"POST {STUDIES} HTTP/1.1\r\nHost: here\r\nContent-Type: {RELATED}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with served(settings) as (_, server):
        with socket.create_connection(server.servers[0].sockets[0].getsockname()) as sender:
            sender.sendall(head.encode() + body[:500_000])
            wait_until(lambda: len(arriving(settings)) == 1)
        wait_until(lambda: arriving(settings) == [])
    assert arrived(settings, "dicomweb") == []
