import re
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from db.inbox.inbox_issues import replace_inbox_issues
from db.session import Database
from readfirst import DISCLAIMER
from readfirst.derived_images import DerivedImages
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.settings import Settings
from tests.support.studies import an_image
from worklist.app import make_app
from worklist.http.static_files import PREFIX

NOW = datetime.now(UTC)


def test_the_page_shows_the_reading_order(client: TestClient, studies: dict[str, str]) -> None:
    page = client.get("/").text
    places = [page.index(f'id="study-{uid}"') for uid in ("1.2", "1.1", "1.3", "1.4")]
    assert places == sorted(places)
    assert "97 %" in page
    assert "AI 97 % (threshold 50 %)." in page
    assert DISCLAIMER in page


def test_what_is_not_scored_is_shown_as_such_and_never_as_low(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/").text
    refused = page[page.index('id="study-1.3"') :]
    assert "The file ends before its image does" in refused
    assert "not scored" in refused
    assert "0 %" not in refused


def test_names_from_files_are_text_and_not_markup(
    client: TestClient, studies: dict[str, str]
) -> None:
    page = client.get("/").text
    assert "&lt;b&gt;Díaz, Lucía" in page
    assert "<b>D" not in page


def test_the_rows_refresh_by_themselves(client: TestClient, studies: dict[str, str]) -> None:
    rows = client.get("/rows?flagged=true").text
    assert "study-1.2" in rows
    assert "study-1.1" not in rows
    assert "<html" not in rows


def test_the_page_of_refusals_shows_codes_counts_and_reasons(
    client: TestClient, studies: dict[str, str]
) -> None:
    assert 'href="/refused"' in client.get("/").text
    page = client.get("/refused").text
    assert "<code>truncated</code> 1" in page
    assert "The file ends before its image does" in page
    empty = client.get("/refused?code=too_large").text
    assert "Nothing was refused as" in empty
    assert client.get("/refused?code=nothing").status_code == 422


def test_thumbnails_are_served_by_digest_and_nothing_else_is(
    client: TestClient, settings: Settings, database: Database
) -> None:
    with database.write() as session:
        digest = an_image(session, NOW).sha256
    for known in (digest, "ab" * 32):
        path = DerivedImages(settings.prepared_path).thumbnail(known)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\x89PNG")
    answer = client.get(f"/thumbnails/{digest}.png")
    assert answer.content == b"\x89PNG"
    # Nobody logs in here, so no session ends.
    assert answer.headers["cache-control"] == "private, max-age=3600"
    again = {"If-None-Match": answer.headers["etag"]}
    assert client.get(f"/thumbnails/{digest}.png", headers=again).status_code == 304
    # Of no study that is known: nobody could say whose film was shown.
    assert client.get(f"/thumbnails/{'ab' * 32}.png").status_code == 404
    assert client.get(f"/thumbnails/{'cd' * 32}.png").status_code == 404
    assert client.get("/thumbnails/..%2f..%2freadfirst.png").status_code == 404


def test_nothing_may_be_loaded_from_elsewhere(client: TestClient) -> None:
    response = client.get("/")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "http://" not in response.text.replace("http://www.w3.org", "")
    assert "https://" not in response.text
    assert response.headers["cache-control"] == "no-store"


def test_scripts_are_kept_for_good_under_the_digest_of_their_content(client: TestClient) -> None:
    """A page never runs with a script of another release, and asks for none twice."""
    page = client.get("/").text
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(addresses) > 5
    for address in addresses:
        assert address.startswith(f"{PREFIX}/")
        kept = client.get(address)
        assert kept.status_code == 200
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    unless = {"If-None-Match": kept.headers["etag"]}
    assert client.get(addresses[-1], headers=unless).status_code == 304


@pytest.mark.parametrize("begin", ["/static", "/static/v-0123456789abcdef"])
def test_other_addresses_of_scripts_are_asked_for_each_time(client: TestClient, begin: str) -> None:
    """As by a page that was open while the release changed."""
    address = f"{begin}/worklist/main.js"
    first = client.get(address)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["", "..%2f..%2fapp.py", "../../app.py", "worklist", "worklist/none.js", "/etc/passwd"]
)
def test_a_digest_leads_to_static_files_alone(client: TestClient, path: str) -> None:
    answer = client.get(f"{PREFIX}/{path}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] != "public, max-age=31536000, immutable"


def test_an_empty_worklist_says_where_to_drop_files(client: TestClient, settings: Settings) -> None:
    assert str(settings.inbox_path) in client.get("/").text


def test_a_disk_without_room_is_said_on_the_page(settings: Settings, database: Database) -> None:
    full = settings.model_copy(update={"min_free_megabytes": 10**9})
    with TestClient(make_app(full)) as client:
        assert "Intake paused" in client.get("/").text
        assert "Intake paused" in client.get("/rows").text
    with TestClient(make_app(settings)) as client:
        assert "Intake paused" not in client.get("/").text


def test_what_is_left_in_the_inbox_is_said_on_the_page(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        replace_inbox_issues(session, {InboxIssue(InboxIssueCode.LINK, "ward/<b>film")}, NOW)
    assert "1 left in the inbox" in client.get("/").text
    with database.write() as session:
        replace_inbox_issues(session, {InboxIssue(InboxIssueCode.INBOX_GONE, ".")}, NOW)
    assert "Inbox folder is missing" in client.get("/").text
    with database.write() as session:
        replace_inbox_issues(session, set(), NOW)
    assert 'class="banner" role="alert">' not in client.get("/").text
