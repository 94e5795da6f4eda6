"""Attacks that came to nothing, as tables: they stay so."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.inbox.inbox_issues import replace_inbox_issues
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from readfirst.errors import Refused
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings
from tests.support.access_table import POLICIES, filled
from tests.support.filled_databases import FilledOnce
from tests.support.people import PASSWORD, TOKEN, add_people
from tests.support.studies import a_header, a_scored_image, an_image, give_verdict
from worklist.app import make_app

NOW = datetime.now(UTC)
STUDY = "1.2.3"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def _add_people(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study=STUDY)
    add_people(database, NOW)


_people = FilledOnce(_add_people)


@pytest.fixture
def people(database: Database) -> None:
    _people.into(database)


@pytest.fixture
def client(settings: Settings, people: None) -> Iterator[TestClient]:
    with TestClient(make_app(settings), follow_redirects=False) as opened:
        yield opened


def form_token(page: str) -> str:
    return page.split('name="form_token" value="')[1].split('"')[0]


def log_in(client: TestClient, name: str = "admin", **values: str) -> tuple[int, str]:
    """Status, and the address to which the log-in leads."""
    sent = {"name": name, "password": PASSWORD, "form_token": form_token(client.get("/login").text)}
    answer = client.post("/login", data=sent | values, headers=OWN)
    return answer.status_code, answer.headers.get("location", "")


#: Of pages of other sites, and of browsers that do not say which page sent a request.
FOREIGN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
    {"Origin": "http://evil.example/testserver"},
    {"Origin": "testserver"},
    {"Referer": "http://testserver/"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "SAME-ORIGIN"},
    {"Sec-Fetch-Site": ""},
    {"X-Form-Token": "guessed"},
)


def test_no_page_of_another_site_changes_anything(client: TestClient) -> None:
    assert log_in(client)[0] == 303
    for route in (
        "/rows",
        "/api/v1/uploads",
        "/dicom-web/studies",
        f"/api/v1/studies/{STUDY}/verdicts",
        f"/api/v1/images/{'ab' * 32}/heat-maps",
        "/api/v1/worklist/search",
    ):
        for headers in FOREIGN:
            answer = client.post(route, headers=headers, json={})
            assert answer.status_code == 403, (route, headers)
            assert STUDY not in answer.text


def test_no_other_site_reads_an_answer(client: TestClient) -> None:
    program = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}
    for method in ("GET", "OPTIONS"):
        answer = client.request(method, "/api/v1/worklist", headers=program)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example", "http:evil.example", "http:/evil.example", "//evil.example",
        "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil",
        "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example",
        " //evil.example", "javascript:alert(1)", "data:text/html,x",
        "evil.example", "@evil.example",
        "?next=//evil.example", "", ".", "//evil.example/%2f..", "/\x00/evil.example",
        "https:///evil.example", "//[::1]/", "/\u2028/evil.example", "ftp://evil.example",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(client: TestClient, onward: str) -> None:
    form = client.get("/login", params={"next": onward}).text
    assert 'name="next" value="/"' in form
    assert log_in(client, next=onward) == (303, "/")
    # Whoever is logged in already, too.
    assert client.get("/login", params={"next": onward}).headers["location"] == "/"


def test_no_other_name_reaches_a_server_without_log_in(
    settings: Settings, database: Database
) -> None:
    with TestClient(make_app(settings)) as client:
        for host in (
            "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
            "evil.example#127.0.0.1", "127.0.0.1#.evil.example", "evil@127.0.0.1",
            "evil.example@localhost", "127.0.0.1@evil.example", "127.0.0.1/evil", "localhost?evil",
            "127.0.0.1\\evil.example", "localhost evil.example", "192.0.2.1", "0.0.0.0", "[::]",
            "[::1", "localhost.", "xn--lcalhost-54b", "2130706433", "", "[", "127.0.0.1,evil",
        ):  # fmt: skip
            answer = client.get("/", headers={"Host": host})
            assert answer.status_code == 421, host
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]", "[::1]:8080"):
            assert client.get("/", headers={"Host": host}).status_code == 200, host


@pytest.mark.parametrize(
    "header",
    [
        "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
        "X-Rewrite-URL", "X-Original-Uri", "X-Forwarded-Prefix", "X-Forwarded-Path",
        "X-Accel-Redirect", "X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Remote-User",
        "Remote-User", "X-Forwarded-User", "X-Authenticated-User",
    ],
)  # fmt: skip
def test_no_header_goes_round_the_log_in(client: TestClient, header: str) -> None:
    for value in ("GET", "POST", "/healthz", "/static/common/base.css", "127.0.0.1", "admin"):
        for path in ("/", "/api/v1/worklist", f"/api/v1/studies/{STUDY}"):
            answer = client.get(path, headers={header: value})
            assert answer.status_code == 401, (header, value, path)
            assert STUDY not in answer.text.replace(path, "")
    # Nor does it lead a public route elsewhere.
    answer = client.get("/healthz", headers={header: "/api/v1/worklist"})
    assert answer.json() == {"status": "ok"}


def test_a_token_counts_in_one_place_alone(client: TestClient) -> None:
    address = "/api/v1/worklist"
    for name in ("token", "access_token", "authorization", "bearer", "api_key"):
        assert client.get(address, params={name: TOKEN}).status_code == 401
        assert client.get(address, headers={"Cookie": f"{name}={TOKEN}"}).status_code == 401
    for value in (
        f"Basic {TOKEN}",
        f"Token {TOKEN}",
        TOKEN,
        f"Bearer x{TOKEN}",
        "Bearer",
        "Bearer ",
    ):
        assert client.get(address, headers={"Authorization": value}).status_code == 401
    for cookie in (f"readfirst={TOKEN}", f"__Host-readfirst={TOKEN}"):
        assert client.get(address, headers={"Cookie": cookie}).status_code == 401
    assert client.get(address, headers={"X-Api-Key": TOKEN}).status_code == 401
    assert log_in(client, "service", password=TOKEN)[0] == 401


def test_no_spelling_of_a_name_passes_its_lock(client: TestClient, settings: Settings) -> None:
    for spelling in ("reader", "READER", " reader ", "Reader\t", "reader")[
        : settings.lockout_failures
    ]:
        assert log_in(client, spelling, password="wrong")[0] == 401
    for spelling in ("reader", "READER", " reader", "ReAdEr "):
        assert log_in(client, spelling)[0] == 401, "locked"
    for header in ("X-Forwarded-For", "Forwarded"):
        sent = {"name": "reader", "password": PASSWORD}
        sent["form_token"] = form_token(client.get("/login").text)
        answer = client.post("/login", data=sent, headers=OWN | {header: "192.0.2.77"})
        assert answer.status_code == 401


HOSTILE = (
    '"><img src=x onerror=alert(1)>',
    "<script>alert(1)</script>",
    "'-alert(1)-'",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
)


def _add_hostile(database: Database) -> dict[str, tuple[str, str]]:
    """A study and an issue of each text: the Study Instance UID, and the SHA-256 of its film."""
    films = {}
    with database.write() as session:
        for number, text in enumerate(HOSTILE):
            header = a_header(
                patient_name=text,
                patient_id=text[:60],
                institution_name=text,
                accession_number=text[:16],
            )
            study = f"{STUDY}.{number}"
            film = a_scored_image(session, NOW, probability=0.9, study=study, header=header)
            an_image(
                session,
                NOW,
                study=f"1.9.{number}",
                header=header,
                refusal=Refused(RefusalCode.TRUNCATED),
            )
            give_verdict(session, study, VerdictInput(comment=text))
            films[text] = study, film.sha256
        issues = {InboxIssue(InboxIssueCode.LINK, f"a/{text}") for text in HOSTILE}
        replace_inbox_issues(session, issues, NOW)
    return films


def test_no_page_takes_a_name_for_markup(settings: Settings, database: Database) -> None:
    """Ask for pages of a study, and send forms, with each text; other pages have all of them."""
    films = _add_hostile(database)
    pages = dict.fromkeys(HOSTILE, 0)
    with TestClient(make_app(settings)) as client:
        for route, text in product(POLICIES, HOSTILE):
            method, path = route.split(" ")
            study, sha256 = films[text]
            filled_path = filled(path, study_instance_uid=study, sha256=sha256)
            is_of_all = filled_path == filled(path, study_instance_uid="", sha256="")
            if path == "/readyz" or (method == "GET" and is_of_all and text != HOSTILE[0]):
                continue
            form = {
                "text": text, "say": "pneumonia", "verdicts_seen": "7", "images_seen": "1",
                "comment": text,
            }  # fmt: skip
            data = {"data": form} if method == "POST" else {}
            headers = OWN | {"Last-Event-ID": "odd", "Accept": "text/html"}
            answer = client.request(method, filled_path, headers=headers, **data)  # type: ignore[arg-type]
            if "html" not in answer.headers.get("content-type", ""):
                continue
            pages[text] += 1
            assert "<img src=x" not in answer.text, route
            assert "<script>alert" not in answer.text, route
            assert "<svg onload" not in answer.text, route
            assert 'href="javascript:' not in answer.text, route
            assert "49" not in answer.text.partition("{{7*7}}")[2][:40], route
            assert "unsafe" not in answer.headers["content-security-policy"]
            if route == "GET /":
                assert all(f"1.9.{number}" in answer.text for number in range(len(HOSTILE)))
    assert min(pages.values()) > 8
