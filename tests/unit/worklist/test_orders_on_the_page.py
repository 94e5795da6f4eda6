"""The list and the page of a study say what the order says, and who read the study elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.hl7 import a_report_message, an_order_message, services
from tests.support.studies import a_header, an_image
from worker.ris.take_message import take_message
from worklist.app import make_app


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as opened:
        yield opened


def film(database: Database, study: str = "1.1", **header: object) -> None:
    with database.write() as session:
        described = a_header(accession_number="A1", patient_id="P1", **header)
        an_image(session, NOW, study=study, header=described)


def test_indication_and_ward_of_the_order_fill_in_for_the_films(
    client: TestClient, database: Database
) -> None:
    take_message(services(database), an_order_message(priority="S"))
    film(database)
    for path in ("/", "/studies/1.1"):
        page = client.get(path).text
        assert "Cough (from the order)" in page
        assert "ICU (from the order)" in page
    assert "Raised to STAT: an order says so" in client.get("/studies/1.1").text
    take_message(services(database), an_order_message(control_id="C2", control="CA"))
    page = client.get("/studies/1.1").text
    assert "cancelled" in page
    assert "The order was cancelled; the study stays where it is" in page
    record = client.get("/api/v1/studies/1.1").json()["study"]
    assert (record["order"]["indication"], record["stat"]) == ("Cough", True)


def test_what_the_films_say_goes_before_the_order(client: TestClient, database: Database) -> None:
    take_message(services(database), an_order_message())
    film(database, reason_for_the_requested_procedure="Fever")
    page = client.get("/").text
    assert "Fever" in page
    assert "Cough" not in page


def test_a_study_that_was_read_elsewhere_says_by_whom(
    client: TestClient, database: Database
) -> None:
    film(database)
    assert b"MSA|AA" in take_message(services(database), a_report_message(at="20990101"))
    assert "1.1" not in client.get("/").text
    assert "Read elsewhere by Ann Reader" in client.get("/?show=read").text
    page = client.get("/studies/1.1").text
    assert page.count("Read elsewhere by Ann Reader") == 3, "label, verdict and timeline"
    assert "That is no verdict." in page
    record = client.get("/api/v1/studies/1.1").json()["study"]
    assert (record["verdict"], record["reported_by"]) == (None, "Ann Reader")
    take_message(services(database), a_report_message(status="X", control_id="R2"))
    assert "Read elsewhere by Ann Reader" not in client.get("/?show=read").text
    assert "The report of the other system was withdrawn" in client.get("/studies/1.1").text


def test_another_study_of_the_patient_says_that_it_was_read_elsewhere(
    client: TestClient, database: Database
) -> None:
    film(database)
    take_message(services(database), a_report_message(at="20990101"))
    with database.write() as session:
        an_image(session, NOW, study="1.2", header=a_header(patient_id="P1"))
    assert "read elsewhere" in client.get("/studies/1.2").text
