"""FHIR R4 to be read: resources of real films, searches, who may, what is noted, and errors."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from fhir.resources.R4B import get_fhir_model_class
from httpx2 import Response

from db.access.audit import AuditRecord, entries
from ingest.inbox.claim import Claim
from readfirst.results.reasons import NO_RESULT_SENTENCES, NoResultCode
from readfirst.results.values import ResultKind
from readfirst.samples import FOLDER
from results.make import make_results
from tests.support.people import TOKEN, add_people
from tests.support.scored_results import a_film, scored, services_of
from tests.support.workers import Worker
from worklist.app import make_app

Drop = Callable[..., Claim]
Json = dict[str, Any]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(worker: Worker) -> Iterator[TestClient]:
    add_people(worker.database, datetime.now(UTC))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(make_app(worker.settings), headers=headers) as opened:
        yield opened


def resource(answer: Response, status: int = 200) -> Json:
    """An answer, as fhir.resources reads it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    read: Json = answer.json()
    get_fhir_model_class(read["resourceType"]).model_validate_json(answer.content)
    return read


def outcome(answer: Response, status: int) -> tuple[str, str]:
    """The code of an error, and its sentence."""
    read = resource(answer, status)
    assert read["resourceType"] == "OperationOutcome"
    (issue,) = read["issue"]
    return issue["code"], issue["details"]["text"]


def matches(answer: Response) -> list[Json]:
    bundle = resource(answer)
    entries_of_it = [each for each in bundle.get("entry", ()) if each["search"]["mode"] == "match"]
    assert bundle["total"] == len(entries_of_it)
    for each in entries_of_it:
        kind, identity = each["resource"]["resourceType"], each["resource"]["id"]
        assert each["fullUrl"] == f"http://testserver/fhir/{kind}/{identity}"
    return [each["resource"] for each in entries_of_it]


def noted(worker: Worker) -> list[AuditRecord]:
    with worker.database.read() as session:
        return [each for each in entries(session, limit=99) if each.action == "study_viewed"]


def test_each_reference_of_a_report_can_be_read(
    worker: Worker, drop: Drop, client: TestClient
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    report = resource(client.get(f"/fhir/DiagnosticReport/{uid}"))
    (of_film,) = report["result"]
    film = resource(client.get(f"/fhir/{of_film['reference']}"))
    assert film["valueCodeableConcept"]["coding"][0]["code"] == "52101004"
    for reference in (film["device"], film["partOf"][0], report["imagingStudy"][0]):
        kind = reference["reference"].split("/")[0]
        assert resource(client.get(f"/fhir/{reference['reference']}"))["resourceType"] == kind


def test_what_is_read_is_what_is_sent(worker: Worker, drop: Drop, client: TestClient) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    read = resource(client.get(f"/fhir/ImagingStudy/{uid}"))
    (message,) = make_results(services_of(worker), uid, [ResultKind.FHIR]).messages
    del read["id"]
    assert read in [each["resource"] for each in json.loads(message.content)["entry"]]


def test_a_study_is_looked_for_by_its_uid_and_its_accession_number(
    worker: Worker, drop: Drop, client: TestClient, tmp_path: Path
) -> None:
    uid = scored(worker, drop, a_film(tmp_path, AccessionNumber="ACC 7"))
    for query in (
        "ImagingStudy?identifier=ACC 7",
        "ImagingStudy?identifier=|ACC 7",
        f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{uid}",
        f"ImagingStudy?identifier=urn:oid:{uid}&_format=json&_count=5",
        "DiagnosticReport?identifier=ACC 7",
        f"DiagnosticReport?study=ImagingStudy/{uid}",
        f"Observation?study=urn:oid:{uid}",
        f"Observation?part-of={uid}",
    ):
        (match,) = matches(client.get(f"/fhir/{query}"))
        assert match["resourceType"] == query.split("?")[0]
    device = matches(client.get(f"/fhir/Observation?study={uid}"))[0]["device"]["reference"]
    identity = device.removeprefix("Device/")
    assert matches(client.get(f"/fhir/Device?identifier=urn:dicom:uid|urn:oid:{identity}"))
    for nobody in ("ImagingStudy?identifier=ACC", "Observation?study=1.2.3"):
        assert matches(client.get(f"/fhir/{nobody}")) == []


def test_why_there_is_no_result_is_told(
    worker: Worker, drop: Drop, client: TestClient, tmp_path: Path
) -> None:
    uid = scored(worker, drop, a_film(tmp_path, PatientID=None))
    sentence = NO_RESULT_SENTENCES[NoResultCode.NO_PATIENT_ID]
    assert outcome(client.get(f"/fhir/DiagnosticReport/{uid}"), 404) == ("not-found", sentence)
    bundle = resource(client.get(f"/fhir/DiagnosticReport?study={uid}"))
    (entry,) = bundle["entry"]
    assert (bundle["total"], entry["search"]["mode"]) == (0, "outcome")
    assert entry["resource"]["issue"][0]["details"]["text"] == sentence


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("DiagnosticReport/1.2.3", 404, "not-found"),
        ("Observation/1.2.3", 404, "not-found"),
        ("Device/1.2.3", 404, "not-found"),
        ("Patient/1", 404, "not-found"),
        ("Patient?name=Secret", 404, "not-found"),
        ("ImagingStudy", 400, "invalid"),
        ("ImagingStudy?patient=Secret", 400, "invalid"),
        ("ImagingStudy?identifier=1.2&study=Secret", 400, "invalid"),
        ("ImagingStudy?identifier=http://site|Secret", 400, "invalid"),
        ("ImagingStudy?identifier=urn:dicom:uid|Secret", 400, "invalid"),
        ("ImagingStudy?identifier=urn:dicom:uid|", 400, "invalid"),
        ("Observation?study=Secret", 400, "invalid"),
        ("Observation?study=1..2", 400, "invalid"),
        (f"Observation?study={'1' * 65}", 400, "invalid"),
        ("Device?identifier=Secret", 400, "invalid"),
        ("ImagingStudy?identifier=1&_format=xml", 400, "invalid"),
        ("nothing/of/this", 404, "not-found"),
    ],
)
def test_an_error_is_an_operation_outcome(
    client: TestClient, path: str, status: int, code: str
) -> None:
    answer = client.get(f"/fhir/{path}")
    assert outcome(answer, status)[0] == code
    assert "Secret" not in answer.text


def test_who_may_not_is_told_so_in_fhir(client: TestClient) -> None:
    nobody = {"Authorization": "Bearer wrong"}
    for path in ("metadata", "ImagingStudy/1.2.3"):
        assert outcome(client.get(f"/fhir/{path}", headers=nobody), 401)[0] == "login"
    assert outcome(client.put("/fhir/ImagingStudy/1.2.3"), 405)[0] == "not-supported"


def test_what_is_read_is_noted_before_it_is_sent(
    worker: Worker, drop: Drop, client: TestClient
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    client.get("/fhir/metadata")
    assert not noted(worker)
    client.get(f"/fhir/DiagnosticReport/{uid}")
    client.get(f"/fhir/Observation?study={uid}")
    assert [each.account for each in noted(worker)] == ["service", "service"]
    assert uid in str(noted(worker)[-1]), "the second is of the same session and study"


def test_a_hidden_result_is_nobodys(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    hiding = worker.settings.model_copy(update={"hide_ai_until_verdict": True})
    add_people(worker.database, datetime.now(UTC))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(make_app(hiding), headers=headers) as client:
        answer = client.get(f"/fhir/DiagnosticReport/{uid}")
    assert outcome(answer, 404)[1] == NO_RESULT_SENTENCES[NoResultCode.AI_HIDDEN]


def test_the_capability_statement_says_what_is_here(client: TestClient) -> None:
    statement = resource(client.get("/fhir/metadata"))
    assert statement["fhirVersion"] == "4.0.1"
    kinds = {each["type"] for each in statement["rest"][0]["resource"]}
    assert kinds == {"ImagingStudy", "DiagnosticReport", "Observation", "Device"}
