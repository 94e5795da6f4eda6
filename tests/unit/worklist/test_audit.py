"""The audit log: each answer with a patient's data leaves a line, or is not sent."""

import dataclasses
import importlib
import pkgutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from sqlalchemy import text

import db
from db.access.audit import AuditAction, AuditRecord, entries
from db.disclosures import OfFile, OfStudy, collecting
from db.inbox.inbox_issues import replace_inbox_issues
from db.session import Database
from readfirst.derived_images import DerivedImages
from readfirst.errors import Refused
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from tests.support.access_table import POLICIES, filled
from tests.support.filled_databases import FilledOnce
from tests.support.studies import a_header, a_scored_image, an_image
from worklist.app import make_app
from worklist.security import noted_of_late
from worklist.security.noted_of_late import NotedOfLate

NOW = datetime.now(UTC)
NAME, NUMBER, FILE = "Ejemplo^Lucia", "P-4711", "EJEMPLO^LUCIA.dcm"
STUDY, REFUSED = "1.2.3", "1.2.4"
#: By which an answer is known to show somebody.
SECRETS = ("ejemplo", NUMBER.lower())
#: All but the one that asks the broker, which is a port, and no patient.
ROUTES = sorted(set(POLICIES) - {"GET /readyz"})
#: The bodies of routes that want one.
BODIES: dict[str, dict[str, Any]] = {
    "POST /": {"data": {"text": "ejemplo lucia"}},
    "POST /rows": {"data": {"text": "ejemplo lucia"}},
    "POST /api/v1/worklist/search": {"json": {"text": NUMBER}},
    "POST /api/v1/studies/{study_instance_uid}/verdicts": {
        "json": {"finding": "pneumonia", "verdicts_seen": 7, "images_seen": 1}
    },
    "POST /studies/{study_instance_uid}/verdict": {
        "data": {"say": "pneumonia", "verdicts_seen": 7, "images_seen": 1, "form_token": ""}
    },
    "POST /api/v1/images/{sha256}/heat-maps": {"json": {"method": "grad_cam"}},
}
#: Routes that must show somebody here, or this test would prove nothing of them.
SHOWING = {
    "GET /",
    "POST /",
    "GET /rows",
    "POST /rows",
    "GET /studies/{study_instance_uid}",
    "POST /studies/{study_instance_uid}/verdict",
    "GET /api/v1/worklist",
    "POST /api/v1/worklist/search",
    "GET /api/v1/studies/{study_instance_uid}",
    "GET /api/v1/inbox",
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The rules are the application's; those of the database stand in `tests/unit/db`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def _add_patient(database: Database) -> str:
    header = a_header(patient_name=NAME, patient_id=NUMBER)
    with database.write() as session:
        digest = a_scored_image(session, NOW, probability=0.9, study=STUDY, header=header).sha256
        an_image(session, NOW, study=REFUSED, header=header, refusal=Refused(RefusalCode.TRUNCATED))
        issue = InboxIssue(InboxIssueCode.LINK, FILE)
        replace_inbox_issues(session, {issue}, NOW)
    return digest


_patient = FilledOnce(_add_patient)


@pytest.fixture
def sha256(database: Database, settings: Settings) -> str:
    """A scored film of a patient with a small film, a refused one, and a file in the inbox."""
    digest = _patient.into(database)
    thumbnail = DerivedImages(settings.prepared_path).thumbnail(digest)
    thumbnail.parent.mkdir(parents=True)
    Image.new("L", (8, 8)).save(thumbnail)
    return digest


def audit_log(database: Database) -> list[AuditRecord]:
    with database.read() as session:
        return entries(session, limit=1000)


def studies_of(records: list[AuditRecord]) -> set[str]:
    """The studies that lines of the log name."""
    named = {record.study_instance_uid for record in records if record.study_instance_uid}
    return named.union(*(record.detail.get("studies", ()) for record in records))


def ask(client: TestClient, route: str, sha256: str) -> Response:
    method, path = route.split(" ")
    path = filled(path, study_instance_uid=STUDY, sha256=sha256, method="grad_cam")
    headers = {"Sec-Fetch-Site": "same-origin"}
    if path.endswith("/stream"):
        # A stream never ends; `tests/integration/worklist/test_stream.py` looks at it.
        headers["Last-Event-ID"] = "odd"
    return client.request(method, path, headers=headers, **BODIES.get(route, {}))


def test_each_answer_with_a_patient_in_it_leaves_a_line(
    settings: Settings, database: Database, sha256: str
) -> None:
    showing = set()
    for route in ROUTES:
        before = len(audit_log(database))
        # A server of its own: what was noted of late is noted again.
        with TestClient(make_app(settings), follow_redirects=False) as client:
            answer = ask(client, route, sha256)
        if not any(secret in answer.text.lower() for secret in SECRETS):
            continue
        showing.add(route)
        # Titles stay in a browser's history and in lists of windows.
        title = answer.text.lower().partition("<title>")[2].partition("</title>")[0]
        assert not any(secret in title for secret in SECRETS), route
        log = audit_log(database)
        lines = log[: len(log) - before]
        assert lines, f"{route} shows a patient, and nobody noted it"
        visible = {uid for uid in (STUDY, REFUSED) if uid in answer.text}
        assert visible <= studies_of(lines), route
        assert AuditAction.RECORDS_SHOWN not in {line.action for line in lines}, route
        assert not any(secret in str(lines).lower() for secret in SECRETS), "the log names nobody"
    assert showing >= SHOWING


def test_no_route_shows_a_patient_while_the_log_cannot_be_written(
    settings: Settings, database: Database, sha256: str
) -> None:
    with TestClient(make_app(settings), follow_redirects=False) as client:
        with database.write() as session:
            session.execute(text("ALTER TABLE audit RENAME TO audit_away"))
        answers = {route: ask(client, route, sha256) for route in ROUTES}
    for route, answer in answers.items():
        assert not any(secret in answer.text.lower() for secret in SECRETS), route
        if route in SHOWING:
            assert answer.status_code == 503, route
            assert answer.headers["content-type"] == "application/problem+json", route


def test_a_list_that_refreshes_itself_notes_what_is_new(
    settings: Settings, database: Database, sha256: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setitem(NotedOfLate.__init__.__kwdefaults__ or {}, "clock", lambda: clock[0])
    with TestClient(make_app(settings)) as client:
        client.get("/")
        for _ in range(3):
            client.get("/rows")
            client.get(f"/thumbnails/{sha256}.png")
        assert [line.detail for line in audit_log(database)] == [{"studies": [STUDY, REFUSED]}]
        with database.write() as session:
            an_image(session, NOW, study="1.2.5")
        client.get("/rows")
        assert audit_log(database)[0].detail == {"studies": ["1.2.5"]}
        clock[0] += noted_of_late.WINDOW_SECONDS + 1
        client.get("/rows")
        assert set(audit_log(database)[0].detail["studies"]) == {STUDY, REFUSED, "1.2.5"}
        client.get("/")
        assert len(audit_log(database)) == 4, "each time that the list is opened is noted"


def test_a_search_is_noted_whether_it_finds_somebody_or_not(
    settings: Settings, database: Database, sha256: str
) -> None:
    with TestClient(make_app(settings)) as client:
        client.get("/")
        for words in ("nobody", "nobody", "ejemplo"):
            client.post("/rows", data={"text": words}, headers={"Sec-Fetch-Site": "same-origin"})
    searches = [line.detail for line in audit_log(database) if line.detail.get("search")]
    assert searches == [{"search": True}, {"search": True}]


def test_a_small_film_by_itself_is_noted_with_its_study(
    settings: Settings, database: Database, sha256: str
) -> None:
    for path in (f"/thumbnails/{sha256}.png", f"/api/v1/images/{sha256}/thumbnail"):
        with TestClient(make_app(settings)) as client:
            for _ in range(2):
                assert client.get(path).content.startswith(b"\x89PNG")
    lines = audit_log(database)
    assert [(line.action, line.study_instance_uid) for line in lines] == [
        (AuditAction.THUMBNAIL_VIEWED, STUDY)
    ] * 2


def test_a_verdict_that_is_taken_is_noted_once(
    settings: Settings, database: Database, sha256: str
) -> None:
    sent = {"say": "pneumonia", "verdicts_seen": 0, "images_seen": 1, "form_token": ""}
    sent |= {"displayed": sha256}
    headers = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
    with TestClient(make_app(settings)) as client:
        address = f"/studies/{STUDY}/verdict"
        assert client.post(address, data=sent, headers=headers).status_code == 200
        assert [line.action for line in audit_log(database)] == [AuditAction.VERDICT_GIVEN]
        assert client.post(address, data=sent, headers=headers).status_code == 409
        line = audit_log(database)[0]
        assert (line.action, line.study_instance_uid) == (AuditAction.STUDY_VIEWED, STUDY)


def test_who_was_shown_a_study_is_found_by_its_uid(
    settings: Settings, database: Database, sha256: str
) -> None:
    with TestClient(make_app(settings)) as client:
        client.get("/")
        client.get(f"/api/v1/studies/{STUDY}")
    with database.read() as session:
        lines = entries(session, limit=10, study_instance_uid=STUDY)
        assert [line.action for line in lines] == ["study_viewed", "list_viewed"]
        assert entries(session, limit=10, study_instance_uid="1.2") == []


def test_a_route_that_says_nothing_of_the_log_is_noted_all_the_same(
    settings: Settings, database: Database, sha256: str
) -> None:
    from db.worklist.queries import image_detail
    from readfirst.access.roles import Role
    from worklist.security.policy import policy

    app = make_app(settings)

    @app.get("/new")
    @policy(Role.READER)
    def new() -> str | None:
        with database.read() as session:
            detail = image_detail(session, sha256)
        return detail.image.file_name if detail else None

    with TestClient(app) as client:
        assert client.get("/new").status_code == 200
    (line,) = audit_log(database)
    assert (line.action, line.detail) == (AuditAction.RECORDS_SHOWN, {"studies": [STUDY]})


#: Fields that hold a patient's data, or may.
PERSONAL = ("patient_", "file_name", "relative_path", "comment", "accession", "referring")
#: Records with such fields that tell nothing: why.
QUIET = {
    "ClaimedQuery": "is asked of the RIS, and shown to nobody",
    "ImageRecord": "is part of the record of its study",
    "LabelledFilmRecord": "is exported without its patient, and the export is noted",
    "LabelledScoreRecord": "is counted, and only sums are shown",
    "NewArrival": "comes in, and is shown to nobody",
    "OrderRecord": "is part of the record of its study",
    "StudyLabel": "comes in",
    "VerdictInput": "comes in",
}


def test_every_record_with_a_patients_data_tells_that_it_is_made() -> None:
    """A new read model cannot forget: it derives from `OfStudy` or `OfFile`."""
    silent = set()
    for module in pkgutil.walk_packages(db.__path__, "db."):
        if ".migrations." in module.name:
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
                continue
            if not kind.__module__.startswith("db."):
                continue
            names = [field.name for field in dataclasses.fields(kind)]
            is_personal = any(name.startswith(PERSONAL) for name in names)
            if is_personal and not issubclass(kind, OfStudy | OfFile):
                silent.add(kind.__name__)
    assert silent <= set(QUIET), "these hold patients' data, and nobody notes that they are shown"


def test_what_is_read_in_another_thread_is_collected(database: Database, sha256: str) -> None:
    import asyncio

    from fastapi.concurrency import run_in_threadpool

    from db.worklist.queries import small_film

    def read() -> None:
        with database.read() as session:
            small_film(session, sha256)

    async def answer() -> None:
        await run_in_threadpool(read)

    with collecting() as disclosures:
        asyncio.run(answer())
    assert list(disclosures.take().studies) == [STUDY]
    assert not disclosures
