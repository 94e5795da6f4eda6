"""Messages for a RIS, from real films in the database and the store, and into folders."""

import json
from collections.abc import Callable
from pathlib import Path

import hl7
import pytest
from fhir.resources.R4B.bundle import Bundle
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from db.access.audit import entries
from ingest.inbox.claim import Claim
from models.manifest import shipped_version
from readfirst.errors import Misconfigured
from readfirst.results.hl7.oru import default_template
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import ResultKind
from readfirst.samples import FOLDER
from readfirst.testing import FixedEnsemble
from results.make import make_results
from tests.support.scored_results import (
    a_film,
    by_a_new_version,
    codes_of,
    run,
    scored,
    services_of,
)
from tests.support.workers import Worker

Drop = Callable[..., Claim]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Nothing is asked of the database that other tests do not ask of both."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def test_a_flagged_film_has_a_valid_message(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    services = services_of(worker, hl7_applications="READFIRST|RAD|RIS|HOSP")
    results = make_results(services, uid, [ResultKind.ORU])
    assert not results.missing
    (message,) = results.messages
    text = message.content.decode()
    parsed = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert parsed.validate()
    lenient = hl7.parse(text)
    assert str(lenient.segment("MSH")[5]) == "RIS"
    assert str(lenient.segment("MSH")[10]) == message.identifier
    assert str(lenient.segment("TQ1")[9]) == "A^ASAP^HL70485"
    assert uid in text
    assert make_results(services, uid, [ResultKind.ORU]).messages == results.messages


def test_a_film_that_is_not_flagged_names_no_priority(worker: Worker, drop: Drop) -> None:
    worker = worker.with_ensemble(FixedEnsemble([0.1], version=shipped_version()))
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    (message,) = make_results(services_of(worker), uid, [ResultKind.ORU]).messages
    assert b"TQ1|" not in message.content


@pytest.mark.parametrize(
    ("name", "characters", "field"),
    [
        ("山田^太郎", ["", "ISO 2022 IR 87"], "山田^太郎"),
        ("Müller^Jürgen", "ISO_IR 100", "Müller^Jürgen"),
        ("O|Neil^A&B~C", "ISO_IR 100", r"O\F\Neil^A\T\B\R\C"),
    ],
)
def test_a_name_in_any_character_set_comes_out_in_utf_8(
    worker: Worker,
    drop: Drop,
    tmp_path: Path,
    name: str,
    characters: str | list[str],
    field: str,
) -> None:
    film = a_film(tmp_path, PatientName=name, SpecificCharacterSet=characters)
    uid = scored(worker, drop, film)
    (message,) = make_results(services_of(worker), uid, [ResultKind.ORU]).messages
    assert f"||{field}||" in message.content.decode()


def test_a_film_has_a_valid_transaction(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    services = services_of(worker)
    (message,) = make_results(services, uid, [ResultKind.FHIR]).messages
    bundle = Bundle.model_validate_json(message.content)
    kinds = [type(entry.resource).__name__ for entry in bundle.entry or ()]
    assert kinds == ["Device", "ImagingStudy", "Observation", "DiagnosticReport"]
    assert f"urn:oid:{uid}".encode() in message.content
    assert make_results(services, uid, [ResultKind.FHIR]).messages == (message,)


def test_a_film_without_a_patient_id_has_no_message_but_a_report(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    uid = scored(worker, drop, a_film(tmp_path, PatientID=None))
    results = make_results(services_of(worker), uid, [ResultKind.ORU, ResultKind.SR])
    assert [each.kind for each in results.objects] == [ResultKind.SR]
    assert codes_of(results) == [(ResultKind.ORU, NoResultCode.NO_PATIENT_ID)]


def test_no_message_takes_a_flag_back(worker: Worker, drop: Drop) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    newer = by_a_new_version(worker, "9.0", 0.2)
    results = make_results(services_of(newer), uid, [ResultKind.ORU])
    assert not results.messages
    assert codes_of(results) == [(ResultKind.ORU, NoResultCode.WOULD_LOWER)]


def test_a_template_that_broke_since_is_told_and_nothing_is_made(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    template = tmp_path / "oru.jinja"
    template.write_text(default_template().text.replace("PID|", "ZID|"))
    services = services_of(worker, oru_template=template)
    with pytest.raises(Misconfigured, match="one PID segment"):
        make_results(services, uid, [ResultKind.ORU])


def test_the_command_writes_messages_beside_objects_and_notes_them(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    target = tmp_path / "results"
    for option in ("--form", "--kind"):
        code, out, err = run(
            worker, monkeypatch, uid, str(target), option, "kos,oru,fhir", "--json"
        )
        assert code == 0, err
    key_objects, message, bundle = json.loads(out)["written"]
    assert (key_objects["kind"], message["kind"], bundle["kind"]) == ("kos", "oru", "fhir")
    assert Path(bundle["path"]).name == f"fhir-{bundle['identifier']}.json"
    path = Path(message["path"])
    assert path.name == f"oru-{message['identifier']}.hl7"
    assert path.read_bytes().startswith(b"MSH|^~\\&|READFIRST|")
    assert len(list(target.rglob("*.*"))) == 4, "the same again takes the place of itself"
    with worker.database.read() as session:
        (noted, _) = [
            each for each in entries(session, limit=9) if each.action == "results_written"
        ]
    assert ["oru", message["identifier"]] in noted.detail["objects"]
    for name in ("Beispiel", "Jonas", "DEMO-0010"):
        assert name not in out + err + str(noted)
