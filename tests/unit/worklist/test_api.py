"""The API's lists: order, filters, pages, formats, ETags and errors."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from tests.fixtures.worklist import NOW
from tests.support.studies import a_header, a_scored_image, an_image
from worklist.api.cursors import refused_position, study_position
from worklist.app import make_app
from worklist.security.policy import public

HOUR = timedelta(hours=1)
ORDER = ["1.2", "1.1", "1.3", "1.4"]


def uids(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [row["study_instance_uid"] for row in answer["studies"]]


def walked(client: TestClient, first: str) -> Iterator[list[str]]:
    """The studies of each page, by the Link headers alone."""
    link: str | None = first
    while link is not None:
        answer = client.get(link)
        assert answer.status_code == 200
        yield uids(answer.json())
        link = answer.links["next"]["url"] if "next" in answer.links else None


def test_the_worklist_is_in_reading_order(client: TestClient, studies: dict[str, str]) -> None:
    answer = client.get("/api/v1/worklist").json()
    assert uids(answer) == ORDER
    assert answer["next"] is None
    assert answer["studies"][0]["probability"] == 0.97
    assert answer["studies"][2]["probability"] is None
    assert answer["studies"][2]["images"][0]["code"] == "truncated"


def test_filters_choose_studies(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    def uids_of(**query: str) -> list[str]:
        return uids(client.get("/api/v1/worklist", params=query).json())

    assert uids_of(flagged="1") == ["1.2"]
    assert uids_of(refused="1") == ["1.3"]
    assert uids_of(flagged="1", refused="1") == []
    assert uids_of(since=(NOW + HOUR).isoformat()) == []
    assert uids_of(until=(NOW + HOUR).isoformat()) == ORDER
    assert uids_of(until=NOW.isoformat()) == []
    with database.write() as session:
        elsewhere = a_header(institution_name="Hospital Río")
        an_image(session, NOW, study="1.5", header=elsewhere)
    assert uids_of(institution="Hospital Río") == ["1.5"]
    assert uids_of(institution="Hospital") == []


def test_a_text_is_looked_for_in_names_and_numbers(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        percent = a_header(patient_name="Ruiz^Ana%", accession_number="A_7")
        an_image(session, NOW, study="2.1", header=percent)

    def uids_of(text: str) -> list[str]:
        answer = client.post("/api/v1/worklist/search", json={"text": text})
        assert answer.status_code == 200
        return uids(answer.json())

    assert uids_of("díaz") == uids_of("LUCÍA díaz") == uids_of("p-1") == ["1.2"]
    assert uids_of("ana%") == uids_of("a_7") == uids_of("Ana ruiz") == ["2.1"]
    assert uids_of("%") == ["2.1"], "a wildcard is a character like any other"
    assert uids_of("Díaz Ana") == []
    assert uids_of("") == ["1.2", "1.1", "1.3", "1.4", "2.1"]


def test_a_search_has_pages_and_no_address_with_a_name(
    client: TestClient, studies: dict[str, str]
) -> None:
    first = client.post("/api/v1/worklist/search", json={"limit": 3}).json()
    again = {"limit": 3, "cursor": first["next"]}
    assert uids(first) == ORDER[:3]
    assert uids(client.post("/api/v1/worklist/search", json=again).json()) == ORDER[3:]
    unknown = client.post("/api/v1/worklist/search", json={"name": "Díaz"})
    assert unknown.status_code == 422
    assert "Díaz" not in unknown.text, "what was sent is not repeated"
    in_the_address = client.get("/api/v1/worklist?text=Díaz")
    assert in_the_address.status_code == 422
    assert "Díaz" not in in_the_address.text


def test_the_pages_hold_every_study_once(client: TestClient, studies: dict[str, str]) -> None:
    for limit in (1, 2, 3, 4):
        pages = list(walked(client, f"/api/v1/worklist?limit={limit}"))
        assert [uid for page in pages for uid in page] == ORDER
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_pages_stay_where_they_are_while_studies_arrive(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    pages = walked(client, "/api/v1/worklist?limit=2")
    seen = next(pages)
    with database.write() as session:
        # One goes to the front, one to the end, and one has the time of another's arrival.
        an_image(session, NOW - HOUR, study="3.1")
        an_image(session, NOW + HOUR, study="3.2")
        an_image(session, NOW, study="3.3")
    seen += [uid for page in pages for uid in page]
    assert seen == ["1.2", "1.1", "1.3", "1.4", "3.3", "3.2"]


def test_many_studies_of_one_moment_are_paged_one_by_one(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        for number in range(25):
            an_image(session, NOW, study=f"4.{number}")
    pages = list(walked(client, "/api/v1/worklist?limit=4"))
    assert [uid for page in pages for uid in page] == [f"4.{number}" for number in range(25)]


def test_another_order_has_pages_too(client: TestClient, studies: dict[str, str]) -> None:
    pages = list(walked(client, "/api/v1/worklist?limit=1&sort=probability"))
    assert pages == [["1.3"], ["1.4"], ["1.2"], ["1.1"]]
    body = {"limit": 3, "sort": "probability", "reverse": True}
    first = client.post("/api/v1/worklist/search", json=body).json()
    assert uids(first) == ["1.3", "1.4", "1.1"]
    again = client.post("/api/v1/worklist/search", json=body | {"cursor": first["next"]})
    assert uids(again.json()) == ["1.2"]
    elsewhere = {"cursor": first["next"], "sort": "patient"}
    assert client.get("/api/v1/worklist", params=elsewhere).status_code == 422


@pytest.mark.parametrize("cursor", ["x", "MQ", "OTk5OTk5OTk5OTk5OTk5OS4xLjE", "ä"])
@pytest.mark.parametrize("decode", [study_position, refused_position])
def test_a_cursor_that_was_never_given_out_is_refused(
    cursor: str, decode: Callable[[str], object]
) -> None:
    with pytest.raises(HTTPException) as refused:
        decode(cursor)
    assert refused.value.status_code == 422


def test_the_same_rows_come_as_csv(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        formula = a_header(patient_name='=HYPERLINK("x")', patient_id="+1", stat=True)
        an_image(session, NOW, study="5.1", header=formula)
    wanted = {"accept": "text/csv, application/json;q=0.5"}
    by_header = client.get("/api/v1/worklist?limit=2", headers=wanted)
    by_name = client.get("/api/v1/worklist?limit=2&format=csv")
    assert by_header.text == by_name.text
    assert by_header.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(by_header.text)))
    assert [row["study_instance_uid"] for row in rows] == ["5.1", "1.2"]
    assert rows[1]["patient_name"] == "<b>Díaz^Lucía"
    assert (rows[1]["flagged"], rows[1]["images"]) == ("true", "1")
    assert rows[0]["patient_name"] == '\'=HYPERLINK("x")', "no formula for a spreadsheet"
    assert rows[0]["patient_id"] == "'+1"
    assert "next" in by_name.links
    both = client.get("/api/v1/worklist", headers={"accept": "application/json, text/csv;q=0.9"})
    assert both.headers["content-type"] == "application/json"
    assert client.get("/api/v1/worklist?flagged=1&refused=1&format=csv").text.count("\n") == 1


LISTS = (
    "worklist",
    "worklist?format=csv",
    "studies/1.2",
    "studies/1.2/scores",
    "refusals",
    "refusals/counts",
)


def test_what_has_not_changed_is_not_sent_again(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    known = {path: client.get(f"/api/v1/{path}").headers["etag"] for path in LISTS}
    for path, etag in known.items():
        again = client.get(f"/api/v1/{path}", headers={"if-none-match": f'"other", W/{etag}'})
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["etag"] == etag
    with database.write() as session:
        an_image(session, NOW, study="1.2", refusal=Refused(RefusalCode.EMPTY_FILE))
        a_scored_image(session, NOW, study="1.2", probability=0.3, header=a_header(stat=True))
    for path, etag in known.items():
        again = client.get(f"/api/v1/{path}", headers={"if-none-match": etag})
        assert again.status_code == 200, path


def test_a_study_comes_with_its_history_and_scores(
    client: TestClient, studies: dict[str, str]
) -> None:
    study = client.get("/api/v1/studies/1.2").json()
    assert study["scores"][0]["probability"] == 0.97
    actions = [event["action"] for event in study["events"]]
    assert actions == ["received", "ready", "scored", "flagged"]
    assert client.get("/api/v1/studies/1.2/scores").json() == study["scores"]
    as_csv = client.get("/api/v1/studies/1.2/scores?format=csv").text
    (row,) = csv.DictReader(io.StringIO(as_csv))
    assert (row["probability"], row["members"]) == ("0.97", '{"cnn": 0.97}')


def test_refusals_are_counted_filtered_and_paged(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        for number in range(4):
            refusal = Refused(RefusalCode.VIEW_NOT_FRONTAL)
            an_image(session, NOW + (number // 2) * HOUR, refusal=refusal)
    counts = client.get("/api/v1/refusals/counts").json()
    assert list(counts.items()) == [("view_not_frontal", 4), ("truncated", 1)]
    rows = client.get("/api/v1/refusals?code=truncated").json()["images"]
    assert [row["study_instance_uid"] for row in rows] == ["1.3"]
    every = client.get("/api/v1/refusals").json()["images"]
    assert len(every) == 5
    paged, link = [], "/api/v1/refusals?limit=2"
    while link:
        answer = client.get(link)
        paged += answer.json()["images"]
        link = answer.links.get("next", {}).get("url", "")
    assert paged == every
    later = client.get("/api/v1/refusals", params={"since": (NOW + HOUR).isoformat()}).json()
    assert len(later["images"]) == 2


ERRORS = {
    "/api/v1/studies/9.9": 404,
    "/api/v1/nothing": 404,
    "/api/worklist": 404,
    "/api/v1/studies/not-a-uid": 422,
    "/api/v1/worklist?limit=0": 422,
    "/api/v1/worklist?limit=1001": 422,
    "/api/v1/worklist?cursor=x": 422,
    "/api/v1/worklist?since=2026-01-01T00:00:00": 422,
    "/api/v1/worklist?since=0001-01-01T00:00:00%2B14:00": 422,
    "/api/v1/worklist?since=1700000000": 422,
    "/api/v1/worklist?since=20260131": 422,
    "/api/v1/worklist?limit=1_0": 422,
    "/api/v1/watching/volumes?from=1700000000": 422,
    "/api/v1/watching/volumes?from=2026-W05-3": 422,
    "/api/v1/worklist?format=xml": 422,
    "/api/v1/worklist?sort=urgency": 422,
    "/api/v1/refusals?code=nothing": 422,
}


def test_every_error_is_a_problem(client: TestClient) -> None:
    for path, status in ERRORS.items():
        answer = client.get(path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["type"]) == (status, "about:blank")
        assert problem["title"]


def test_another_method_is_a_problem_too(client: TestClient) -> None:
    answer = client.delete("/api/v1/worklist")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_fault_of_the_server_says_nothing_of_its_inside(settings: Settings) -> None:
    app: FastAPI = make_app(settings)

    @app.get("/fault")
    @public
    def fault() -> None:
        raise RuntimeError("SELECT patient_name FROM studies")

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_database_that_does_not_answer_is_said_so(settings: Settings) -> None:
    app = make_app(settings)
    with TestClient(app) as client:
        app_database_gone(settings)
        answer = client.get("/api/v1/worklist")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "worklist" not in answer.text
    assert "studies" not in answer.text


def app_database_gone(settings: Settings) -> None:
    """As after a fault of the site: a table is missing."""
    from sqlalchemy import text

    from db.session import open_database

    database = open_database(settings.database)
    with database.write() as session:
        session.execute(text("ALTER TABLE studies RENAME TO elsewhere"))
    database.dispose()


def test_the_document_names_every_operation_its_tag_and_its_errors(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert "Problem" in document["components"]["schemas"]
    operations = {}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["operationId"] not in operations
            operations[operation["operationId"]] = operation
            if path.startswith("/api/v1"):
                assert operation["tags"], path
                problem = operation["responses"]["422"]["content"]
                assert list(problem) == ["application/problem+json"]
    assert {"getWorklist", "searchWorklist", "getStudy", "getRefusals"} <= set(operations)
    assert client.get("/openapi.json").status_code == 404
