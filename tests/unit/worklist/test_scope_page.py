"""Studies that are not validated, do not fit together or are not complete: page and API."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from db.session import Database
from readfirst.studies.marks import MarkCode, mark
from tests.support.studies import a_header, a_scored_image, an_image

NOW = datetime.now(UTC)


def test_a_marked_score_is_shown_as_not_validated_and_never_as_low(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        for uid, probability in (("2.1", 0.93), ("2.2", 0.08)):
            image = a_scored_image(session, NOW, probability=probability, study=uid)
            image.marks = (mark(MarkCode.CHILD_OUTSIDE_POPULATION, "9 y"),)
    page = client.get("/").text
    flagged = page[page.index('id="study-2.1"') : page.index('id="study-2.2"')]
    low = page[page.index('id="study-2.2"') :]
    assert "Pneumonia likely" in flagged
    assert "Not validated" in flagged
    assert "<svg" in flagged
    assert "Routine" not in low
    assert "below" not in low
    assert "<svg" not in low, "a short bar would read as a low risk"
    assert "Score 8 % not valid: age not validated." in low
    rows = client.get("/api/v1/worklist").json()["studies"]
    assert rows[1]["marks"] == [
        {
            "code": "child_outside_population",
            "reason": "The child is outside the ages that the networks were validated on. (9 y)",
        }
    ]
    assert rows[0]["standing"] == "flagged"


def test_what_does_not_fit_together_is_told_on_both_studies(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        for patient in ("A", "B"):
            an_image(session, NOW, study="3.1", header=a_header(patient_id=patient))
    assert client.get("/").text.count("Images of different patients") == 2
    first, second = client.get("/api/v1/worklist").json()["studies"]
    assert first["warnings"][0]["others"] == [second["study_instance_uid"]]
    assert second["shared_study_instance_uid"] == "3.1"
    detail = client.get(f"/api/v1/studies/{second['study_instance_uid']}").json()
    assert detail["study"]["warnings"][0]["code"] == "study_of_two_patients"


def test_a_study_is_not_complete_before_it_was_quiet(
    client: TestClient, database: Database
) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        a_scored_image(session, now, probability=0.9, study="4.1")
        a_scored_image(session, now - timedelta(hours=1), probability=0.2, study="4.2")
    assert client.get("/").text.count("Still receiving") == 1
    new, old = client.get("/api/v1/worklist").json()["studies"]
    assert (new["flagged"], new["complete"]) == (True, False), "it ranks at once"
    assert old["complete"]
