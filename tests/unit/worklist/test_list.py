"""The list page: what it shows of a study, what it is asked, and its pages."""

import re
from datetime import timedelta
from html import unescape

import pytest
from fastapi.testclient import TestClient

from db.access.audit import Actor
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.worklist.counts import WorklistCounts, institutions, worklist_counts
from readfirst.access.roles import Role
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from readfirst.studies.marks import MarkCode, mark
from tests.fixtures.worklist import NOW
from tests.support.studies import a_header, a_scored_image, an_image, give_verdict
from worklist.app import make_app
from worklist.security.routes import may_see

HOUR = timedelta(hours=1)


def uids(page: str) -> list[str]:
    return re.findall(r'id="study-([0-9.]+)"', page)


def row(page: str, uid: str) -> str:
    return page.split(f'id="study-{uid}"')[1].split("</tr>")[0]


def link(page: str, rel: str) -> str | None:
    match = re.search(rf'<a href="([^"]+)" rel="{rel}"', page)
    return unescape(match[1]) if match else None


def read(database: Database, uid: str, finding: Finding | None) -> None:
    with database.write() as session:
        give_verdict(session, uid, VerdictInput(finding=finding), Actor("anna", "here"), NOW)


def test_unread_studies_are_shown_and_read_ones_by_choice(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    read(database, "1.2", Finding.NO_PNEUMONIA)
    assert uids(client.get("/").text) == ["1.1", "1.3", "1.4"]
    done = client.get("/?show=read").text
    assert uids(done) == ["1.2"]
    assert "Read: no pneumonia, AI false positive" in row(done, "1.2")
    assert uids(client.get("/?show=all").text) == ["1.2", "1.1", "1.3", "1.4"]


def test_a_row_shows_how_far_the_networks_disagree(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/").text
    likely, refused, waiting = (row(page, uid) for uid in ("1.2", "1.3", "1.4"))
    assert 'cx="97.0%"' in likely
    assert 'class="range" x1="97.0%" x2="97.0%"' in likely
    assert 'class="threshold" x1="50.0%"' in likely
    assert "data-scored" in likely
    for unscored in (refused, waiting):
        assert "<svg" not in unscored
        assert "data-scored" not in unscored
    assert "not scored" in refused
    assert "in work" in waiting


def test_a_low_score_that_is_not_validated_has_no_bar_and_nothing_to_agree_with(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        image = a_scored_image(session, NOW, study="1.1", probability=0.02)
        image.marks = (mark(MarkCode.ADULT),)
    only = row(client.get("/").text, "1.1")
    assert "not validated" in only
    assert "<svg" not in only
    assert "data-scored" not in only


def test_the_row_leads_to_the_study(client: TestClient, studies: dict[str, str]) -> None:
    assert '<a class="open" dir="auto" href="/studies/1.2">' in client.get("/").text


def test_filters_stand_in_the_address(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        for uid, site in (("2.1", "North"), ("2.2", "South & West")):
            an_image(session, NOW, study=uid, header=a_header(institution_name=site))
        an_image(session, NOW - 100 * 24 * HOUR, study="2.3")
    page = client.get("/").text
    assert 'href="/?site=South+%26+West"' in page
    assert "North" in row(page, "2.1")
    assert uids(client.get("/?site=South+%26+West").text) == ["2.2"]
    assert uids(client.get("/?flagged=true").text) == ["1.2"]
    assert uids(client.get("/?refused=true").text) == ["1.3"]
    assert "2.3" not in uids(client.get("/?arrived=3days").text)
    long_ago = (NOW - 50 * 24 * HOUR).date()
    assert uids(client.get(f"/?to={long_ago}").text) == ["2.3"]
    assert "2.3" not in uids(client.get(f"/?from={long_ago}").text)
    assert "Clear the filters" in client.get("/?site=Nowhere").text
    assert client.get("/?sort=urgency").status_code == 422


def test_another_order_is_named_and_reading_order_one_click_away(
    client: TestClient, studies: dict[str, str]
) -> None:
    assert "Back to reading order" not in client.get("/").text
    page = client.get("/?sort=probability&flagged=true").text
    assert "Sorted by probability, the highest first, not by urgency" in page
    assert '<a href="/?flagged=true">Back to reading order</a>' in page
    assert 'class="probability" aria-sort="descending"' in page


def test_without_a_score_stand_apart_and_never_below(
    client: TestClient, studies: dict[str, str]
) -> None:
    for address in ("/?sort=probability", "/?sort=probability&reverse=true"):
        page = client.get(address).text
        assert uids(page)[:2] == ["1.3", "1.4"]
        assert page.index("group-not-scored") < page.index("study-1.3")
        assert page.index("study-1.4") < page.index("group-scored") < page.index("study-1.1")
        skip = re.search(r'<a href="([^"]+)">Skip to the scored', page)
        assert skip is not None
        assert set(uids(client.get(unescape(skip[1])).text)) == {"1.1", "1.2"}


@pytest.mark.parametrize("sort", ["reading", "patient"])
def test_pages_lead_on_and_back(client: TestClient, database: Database, sort: str) -> None:
    with database.write() as session:
        for number in range(120):
            header = a_header(patient_name=f"Name{number:03}")
            an_image(session, NOW, study=f"1.{number}", header=header)
    first = client.get(f"/?sort={sort}").text
    seen, page = uids(first), first
    while following := link(page, "next"):
        page = client.get(following).text
        seen += uids(page)
        assert "Name" not in following
    assert seen == [f"1.{number}" for number in range(120)]
    back: list[str] = []
    while before := link(page, "prev"):
        page = client.get(before).text
        back = uids(page) + back
    assert back == seen[:100]
    assert link(page, "first") is None
    assert uids(page) == uids(first)


def test_what_slides_in_pushes_nothing_out(client: TestClient, database: Database) -> None:
    with database.write() as session:
        for number in range(60):
            an_image(session, NOW, study=f"1.{number}")
    visible_uids = uids(client.get("/").text)
    assert visible_uids[-1] == "1.49"
    with database.write() as session:
        an_image(session, NOW - HOUR, study="2.1")
    again = client.get("/rows?rows=70&through=1.49").text
    assert uids(again) == ["2.1", *visible_uids]
    following = link(again, "next")
    assert following is not None
    assert uids(client.get(following).text) == [f"1.{number}" for number in range(50, 60)]
    assert "<html" not in again


def test_a_page_that_was_turned_back_to_keeps_its_beginning(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        for number in range(130):
            an_image(session, NOW, study=f"1.{number}")
    second = link(client.get("/").text, "next")
    assert second is not None
    third = link(client.get(second).text, "next")
    assert third is not None
    back = link(client.get(third).text, "prev")
    assert back is not None
    again = client.get(back.replace("/?", "/rows?rows=70&through=1.50&")).text
    assert uids(again) == [f"1.{number}" for number in range(50, 100)]
    first = link(again, "prev")
    assert first is not None
    turned = client.post(first, data={"text": ""})
    assert (turned.url.path, turned.url.query) == ("/", b"")
    assert uids(turned.text) == [f"1.{number}" for number in range(50)]


def test_a_site_of_any_name_can_be_chosen(client: TestClient, database: Database) -> None:
    with database.write() as session:
        for site in ("x" * 512, "<b>"):
            an_image(session, NOW, header=a_header(institution_name=site))
    page = client.get("/").text
    assert "/?site=%3Cb%3E" in page
    assert len(uids(client.get(f"/?site={'x' * 512}").text)) == 1


def test_a_text_travels_in_a_body_and_stands_in_no_link(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.post("/?show=all", data={"text": "díaz"}).text
    assert uids(page) == ["1.2"]
    assert 'value="díaz"' in page
    links = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert not [link for link in links if "d%C3%AD" in link or "díaz" in link]
    assert uids(client.post("/rows", data={"text": "nobody"}).text) == []
    assert "Search all studies" in client.post("/", data={"text": "nobody"}).text
    assert client.post("/", data={"text": "x" * 201}).status_code == 422
    assert uids(client.get("/?text=díaz").text) == ["1.2", "1.1", "1.3", "1.4"]


def test_an_empty_list_says_what_to_do(client: TestClient, database: Database) -> None:
    assert "Drop DICOM files" in client.get("/").text
    with database.write() as session:
        a_scored_image(session, NOW, study="1.1", probability=0.2)
    assert "Nothing was read yet" in client.get("/?show=read").text
    read(database, "1.1", None)
    assert "Everything is read" in client.get("/").text
    assert "matches these filters" in client.get("/?flagged=true").text


def test_the_navigation_names_the_pages_that_a_role_may_see(
    client: TestClient, settings: Settings
) -> None:
    app = make_app(settings)
    assert may_see(app, Role.LEAD, "/watching")
    assert not may_see(app, Role.READER, "/watching")
    assert not may_see(app, Role.SERVICE, "/")
    assert not may_see(app, Role.ADMIN, "/nowhere")
    assert 'href="/watching"' in client.get("/").text


def test_the_counts_are_of_what_waits(database: Database, studies: dict[str, str]) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.5", header=a_header(stat=True))
    read(database, "1.2", Finding.PNEUMONIA)
    with database.read() as session:
        assert worklist_counts(session) == WorklistCounts(unread=4, flagged=0, stat=1, in_work=2)


def test_institutions_are_named_once_and_in_order(database: Database) -> None:
    with database.write() as session:
        for site in ("South", "North", "South", None):
            an_image(session, NOW, header=a_header(institution_name=site))
        an_image(session, NOW, refusal=Refused(RefusalCode.TRUNCATED))
    with database.read() as session:
        assert institutions(session) == ["North", "South"]


def test_a_row_says_what_was_examined_why_and_how_much_there_is(
    client: TestClient, database: Database
) -> None:
    values = {"patient_id": "A", "patient_name": "Doe^Jane", "body_part_examined": "CHEST"}
    with database.write() as session:
        for uid, days in (("1.1", 900), ("1.2", 30), ("1.3", 0), ("1.3", 0)):
            header = a_header(
                **values,
                modality="DX",
                view_position="AP",
                study_datetime=NOW - timedelta(days=days),
                reason_for_the_requested_procedure="cough, <fever>" if days == 0 else None,
                additional_patient_history="asthma" if days == 0 else None,
            )
            an_image(session, NOW, study=uid, header=header)
        header = a_header(study_description="XR Thorax", requested_procedure_description="Thorax")
        an_image(session, NOW, study="1.4", header=header)
    page = client.get("/").text
    assert "Chest AP, 2 images, 2 priors<" in row(page, "1.3")
    assert "cough, &lt;fever&gt;" in row(page, "1.3")
    assert "Chest AP, 1 prior<" in row(page, "1.2")
    assert ">XR Thorax<" in row(page, "1.4")
    assert ">Thorax<" in row(page, "1.4")
    study = client.get("/studies/1.3").text
    assert "Indication: cough, &lt;fever&gt;. History: asthma" in study
    assert client.get("/api/v1/studies/1.3").json()["study"]["prior_count"] == 2


def test_where_the_files_name_nobody_the_row_says_so(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1")
    assert re.search(r"<i>No name</i> <span class=\"file\">\w+\.dcm<", client.get("/").text)
    assert re.search(r"<i>No name \(\w+\.dcm\)</i>", client.get("/studies/1.1").text)
