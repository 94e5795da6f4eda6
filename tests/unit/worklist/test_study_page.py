"""The page of one study, without a browser."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from db.access.audit import AuditAction, entries
from db.session import Database
from db.tables import Image
from db.worklist.queries import study_detail
from ingest.inbox.store import Store
from readfirst.errors import Refused
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from readfirst.studies.marks import Mark, MarkCode
from tests.fixtures.worklist import NOW
from tests.support.films import a_kept_film
from tests.support.studies import AS_STORED, a_header, a_scored_image, an_image
from worklist.app import make_app

HTMX = {"HX-Request": "true"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Tests of both kinds of database stand in `tests/unit/db`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with_viewer = settings.model_copy(
        update={"viewer_url": "https://pacs.example/viewer?uid={study_instance_uid}"}
    )
    with TestClient(make_app(with_viewer), follow_redirects=False) as opened:
        yield opened


def buttons(page: str) -> dict[str, str]:
    """The answers that the page offers: what each sends, and what it says."""
    matches = re.findall(r'<button name="say" value="(\w+)"[^>]*>([^<]*)', page)
    return {value: text.strip() for value, text in matches}


def fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)">', page))


def answer(client: TestClient, study: str, say: str, **changes: str) -> Response:
    """Fill in the form as it is shown now."""
    sent = fields(client.get(f"/studies/{study}").text) | {"say": say} | changes
    own = {"Sec-Fetch-Site": "same-origin"}
    sent_back: Response = client.post(f"/studies/{study}/verdict", data=sent, headers=own)
    return sent_back


def test_the_answers_have_their_places_and_keys_whatever_the_ai_said(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        odd = (Mark(MarkCode.AGE_UNKNOWN, "Nobody knows the age."),)
        of_it = select(Image).where(Image.study.has(study_instance_uid="1.1"))
        session.scalars(of_it).one().marks = odd
    pages = {name: client.get(f"/studies/{uid}").text for name, uid in studies.items()}
    for page in pages.values():
        answers = re.findall(r'name="say" value="(\w+)" class="[^"]*" data-key="(\w)', page)
        assert answers == [
            ("pneumonia", "p"),
            ("no_pneumonia", "x"),
            ("cannot_tell", "c"),
            ("read", "e"),
        ]
    assert "never means a low risk" in pages["refused"]


def test_the_keys_of_older_releases_agree_and_disagree_with_the_ai(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    def keys(uid: str) -> list[str]:
        return re.findall(r'data-key="([px][^"]*)"', client.get(f"/studies/{uid}").text)

    assert keys(studies["likely"]) == ["p a", "x d"]
    assert keys(studies["normal"]) == ["p d", "x a"]
    assert keys(studies["refused"]) == keys(studies["waiting"]) == ["p", "x"]
    with database.write() as session:
        odd = (Mark(MarkCode.AGE_UNKNOWN, "Nobody knows the age."),)
        of_it = select(Image).where(Image.study.has(study_instance_uid="1.1"))
        session.scalars(of_it).one().marks = odd
    assert keys("1.1") == ["p", "x"], "there is nothing to agree with"


def test_the_page_tells_whose_study_it_is_and_escapes_it(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/studies/1.2").text
    assert "&lt;b&gt;Díaz, Lucía" in page
    assert "<b>Díaz" not in page
    assert "P-1" in page
    assert "(threshold " in page
    link = 'href="https://pacs.example/viewer?uid=1.2" target="_blank" rel="noopener noreferrer"'
    assert link in page


def test_a_uid_that_was_made_here_leads_nowhere_and_says_so(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        image = an_image(session, study="2.25.17")
        image.study.study_instance_uid_made_here = True
        image.study.invalid_study_instance_uid = "1.2.<b>"
    page = client.get("/studies/2.25.17").text
    assert "pacs.example" not in page
    assert "Study Instance UID 2.25.17 (made here); in the files 1.2.&lt;b&gt;, which is no" in page
    assert "bring no valid Study Instance UID" in page
    study = client.get("/api/v1/studies/2.25.17").json()["study"]
    assert study["study_instance_uid_made_here"] is True
    assert study["invalid_study_instance_uid"] == "1.2.<b>"
    assert study["warnings"][0] | {"reason": ""} == {
        "code": "study_instance_uid_made_here",
        "reason": "",
        "others": [],
    }


def test_a_refused_image_has_its_code_its_sentence_and_its_original(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/studies/1.3").text
    assert "<code>truncated</code>" in page
    assert re.search(r"/api/v1/images/[0-9a-f]{64}/original", page)


def test_opening_a_study_is_noted_and_does_not_make_it_read(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    client.get("/studies/1.2")
    with database.read() as session:
        (entry,) = entries(session, limit=9)
        detail = study_detail(session, "1.2", display=AS_STORED)
    assert (entry.action, entry.study_instance_uid) == (AuditAction.STUDY_VIEWED, "1.2")
    assert detail is not None
    assert detail.study.read_at is None
    assert "First opened" in client.get("/studies/1.2").text


@pytest.mark.parametrize("uid", ["9.9", "nothing", "1.2%00", "1" * 65])
def test_a_study_that_is_not_there_has_a_page_that_says_so(client: TestClient, uid: str) -> None:
    response = client.get(f"/studies/{uid}")
    assert response.status_code == 404
    assert "There is no such study" in response.text


def test_a_verdict_by_the_form_is_shown_with_the_way_on(
    client: TestClient, studies: dict[str, str]
) -> None:
    sent = answer(client, "1.2", "no_pneumonia", comment="Thymus <i>")
    assert (sent.status_code, sent.headers["location"]) == (303, "/studies/1.2")
    page = client.get("/studies/1.2").text
    assert "AI false positive" in page
    assert "Thymus &lt;i&gt;" in page
    assert 'href="/next?after=1.2"' in page
    assert "Read: no pneumonia" in page
    assert answer(client, "1.2", "unread").status_code == 303
    assert "Mark as unread again" not in client.get("/studies/1.2").text


def test_a_part_of_the_page_is_changed_where_it_can_be(
    client: TestClient, studies: dict[str, str]
) -> None:
    sent = fields(client.get("/studies/1.2").text) | {"say": "pneumonia"}
    part = client.post("/studies/1.2/verdict", data=sent, headers=HTMX)
    assert part.status_code == 200
    assert "<html" not in part.text
    assert 'id="timeline"' in part.text
    assert 'hx-swap-oob="true"' in part.text


def test_whoever_has_not_seen_all_is_told_and_keeps_the_comment(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    before = fields(client.get("/studies/1.2").text)
    answer(client, "1.2", "pneumonia")
    response = answer(client, "1.2", "no_pneumonia", comment="Thymus.", **before)
    assert response.status_code == 409
    assert "recorded “pneumonia” while you were reading" in response.text
    assert ">Thymus.</textarea>" in response.text
    seen = fields(client.get("/studies/1.2").text)
    with database.write() as session:
        an_image(session, NOW + timedelta(hours=1), study="1.2", header=a_header())
    response = answer(client, "1.2", "no_pneumonia", **seen)
    assert response.status_code == 409
    assert "Another image" in response.text


@pytest.mark.parametrize(
    "changes",
    [{"say": "cancer"}, {"verdicts_seen": "-1"}, {"images_seen": "x"}, {"comment": "x" * 2001}],
)
def test_what_is_no_verdict_is_refused(
    client: TestClient, studies: dict[str, str], changes: dict[str, str]
) -> None:
    assert answer(client, "1.2", **{"say": "pneumonia"} | changes).status_code == 422


def test_next_leads_to_the_most_urgent_unread_study_and_then_to_the_list(
    client: TestClient, studies: dict[str, str]
) -> None:
    def onward(**query: str) -> str:
        return str(client.get("/next", params=query).headers["location"])

    assert onward() == "/studies/1.2"
    assert onward(but="1.2") == "/studies/1.1"
    assert onward(but="\0") == "/studies/1.2"
    for uid in studies.values():
        answer(client, uid, "read")
    assert onward() == "/"


def test_the_other_studies_of_the_patient_are_linked(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    header = a_header(patient_name="<b>Díaz^Lucía", patient_id="P-1", modality="CR")
    with database.write() as session:
        an_image(session, NOW, study="2.1", header=header, refusal=Refused(RefusalCode.EMPTY_FILE))
    page = client.get("/studies/1.2").text
    assert 'href="/studies/2.1"' in page.split('id="others-title"')[1]
    assert "name no patient ID" in client.get("/studies/1.1").text


@pytest.mark.usefixtures("shared_reader")
def test_attributes_come_as_part_alone_and_by_the_api(
    client: TestClient, database: Database, settings: Settings
) -> None:
    sha256 = a_kept_film(database, settings, FOLDER / "study-02.dcm")
    alone = client.get(f"/images/{sha256}/attributes")
    part = client.get(f"/images/{sha256}/attributes", headers=HTMX)
    assert "<html" in alone.text
    assert "<html" not in part.text
    for page in (alone.text, part.text):
        assert "(0010,0020)" in page
        assert "DEMO-0010" in page
    rows = client.get(f"/api/v1/images/{sha256}/attributes").json()
    assert {"tag": "(0010,0020)", "keyword": "PatientID"}.items() <= next(
        row for row in rows if row["tag"] == "(0010,0020)"
    ).items()
    assert client.get(f"/api/v1/images/{'0' * 64}/attributes").status_code == 404


@pytest.mark.usefixtures("shared_reader")
def test_a_file_that_is_no_image_says_so_in_place_of_its_attributes(
    client: TestClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear colleague")
    stored = Store(settings.store_path).keep(path)
    with database.write() as session:
        image = an_image(session, NOW, study="1.1", refusal=Refused(RefusalCode.NOT_AN_IMAGE))
        image.sha256 = stored.sha256
    response = client.get(f"/images/{stored.sha256}/attributes", headers=HTMX)
    assert response.status_code == 200
    assert SENTENCES[RefusalCode.NOT_AN_IMAGE] in response.text
    assert client.get(f"/api/v1/images/{stored.sha256}/attributes").json()["code"] == "not_an_image"


def test_an_original_that_was_removed_is_not_offered(
    client: TestClient, database: Database, studies: dict[str, str]
) -> None:
    with database.write() as session:
        of_it = select(Image).where(Image.study.has(study_instance_uid="1.1"))
        session.scalars(of_it).one().original_removed_at = NOW
    page = client.get("/studies/1.1").text
    assert "The original was removed" in page
    assert "/original" not in page
    assert "/attributes" not in page


@pytest.mark.parametrize(
    "path",
    ["/studies/{}", "/studies/{}/film", "/api/v1/studies/{}", "/api/v1/studies/{}/verdicts"],
)
def test_a_study_without_images_is_nowhere(
    client: TestClient, database: Database, path: str
) -> None:
    """Its only image was found to belong to another study, which now stands in its place."""
    with database.write() as session:
        moved = a_scored_image(session, NOW, probability=0.9, study="7.1")
        moved.study = an_image(session, NOW, study="7.2").study
    assert client.get(path.format("7.1")).status_code == 404
    assert client.get(path.format("7.2")).status_code == 200
