"""The bar over the list: what is filtered, how much that hides, and a hidden STAT above all."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from tests.support.studies import a_header, a_scored_image, an_image
from tests.unit.worklist.test_access import NOW

HOUR = timedelta(hours=1)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The queries have tests of their own on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def many(database: Database) -> None:
    """Eleven unread studies, two of them flagged, and one STAT study."""
    with database.write() as session:
        for number in range(11):
            name = "Smith^Ann" if number % 6 == 0 else f"Other^{number}"
            header = a_header(patient_name=name, institution_name="A" if number % 2 else "B")
            probability = 0.9 if number < 2 else 0.1
            at = NOW - number * HOUR
            a_scored_image(session, at, probability=probability, study=f"1.{number}", header=header)
        header = a_header(stat=True, patient_name="Urgent^Uma")
        a_scored_image(session, NOW, probability=0.1, study="2.1", header=header)


def words(page: str, css_class: str) -> str:
    """The text of the first element of a class, as a person reads it."""
    match = re.search(rf'<(\w+)[^>]*class="[^"]*\b{css_class}\b[^"]*"[^>]*>(.*?)</\1>', page, re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", match[2])).split()) if match else ""


def test_the_range_of_a_page_and_the_whole_list_are_stated(client: TestClient, many: None) -> None:
    assert words(client.get("/").text, "page-range") == "1–12 of 12"
    first = client.get("/?rows=5").text
    assert words(first, "page-range") == "1–5 of 12"
    assert words(first, "filter-bar") == ""
    second = client.get(link(first, "next")).text
    assert words(second, "page-range") == "6–10 of 12"
    third = client.get(link(second, "next")).text
    assert words(third, "page-range") == "11–12 of 12"
    assert words(client.get(link(third, "prev")).text, "page-range") == "6–10 of 12"
    by_patient = client.get("/?rows=5&sort=patient&site=A").text
    assert words(by_patient, "page-range") == "1–5 of 5"


def link(page: str, rel: str) -> str:
    """The address of another page, of five rows too."""
    return unescape(re.findall(rf'href="([^"]*)" rel="{rel}"', page)[0]) + "&rows=5"


def test_the_bar_says_what_is_filtered_and_how_much_that_hides(
    client: TestClient, many: None
) -> None:
    page = client.post("/?flagged=true", data={"text": "smith"}).text
    bar = words(page, "filter-bar")
    assert bar == "1 of 12 unread shown: text ‘smith’ × flagged × Clear all"
    assert 'href="/?flagged=true" data-forgets-text aria-label="Remove the filter text' in page
    page = client.get("/?site=A&show=all&sort=patient").text
    assert words(page, "filter-bar") == "5 of 12 shown: site A × Clear all"
    assert 'href="/?show=all&amp;sort=patient"' in page
    assert words(client.get("/?flagged=true").text, "filter-bar").startswith("2 of 12 unread")
    nothing = client.post("/", data={"text": "nobody"}).text
    assert words(nothing, "filter-bar").startswith("0 of 12 unread shown: text ‘nobody’")
    assert words(nothing, "page-range") == ""


def test_a_stat_study_that_a_filter_hides_is_told_above_all(client: TestClient, many: None) -> None:
    hidden = "1 STAT study is hidden by your filter. Show it"
    for path in ("/?flagged=true", "/?site=A", "/?refused=true", "/rows?flagged=true"):
        assert words(client.get(path).text, "of-stat") == hidden, path
    assert words(client.post("/rows", data={"text": "smith"}).text, "of-stat") == hidden
    for path in ("/", "/?stat=true", "/?sort=patient", "/?show=all", "/?arrived=3days"):
        assert "hidden by" not in client.get(path).text, path
    assert "hidden by" not in client.post("/", data={"text": "uma"}).text
    for show in ("read", "priors"):
        assert "1 STAT study is unread, and not in this list" in client.get(f"/?show={show}").text


def test_the_counts_filter(client: TestClient, many: None) -> None:
    page = client.get("/?site=A").text
    for href, text in (("/", "unread"), ("/?flagged=true", "flagged"), ("/?stat=true", "STAT")):
        link_to = rf'<a [^>]*href="{re.escape(href)}"[^>]*><strong>\d+</strong> {text}'
        assert re.search(link_to, page), text
    assert words(client.get("/?stat=true").text, "filter-bar") == (
        "1 of 12 unread shown: STAT × Clear all"
    )
    rows = client.get("/api/v1/worklist?stat=true").json()["studies"]
    assert [row["study_instance_uid"] for row in rows] == ["2.1"]
    answer = client.post("/api/v1/worklist/search", json={"stat": True, "text": "uma"})
    assert len(answer.json()["studies"]) == 1


def test_a_file_that_is_not_scored_is_a_filter_by_that_name(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        an_image(session, NOW, refusal=Refused(RefusalCode.TRUNCATED))
    page = client.get("/?refused=true").text
    assert words(page, "filter-bar") == "1 of 1 unread shown: not scored × Clear all"
