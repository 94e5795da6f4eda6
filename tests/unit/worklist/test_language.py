"""The language of a page: whose choice it is, and what is translated by it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.session import Database
from readfirst.language.languages import NAMES
from readfirst.settings import Settings
from tests.support.browsers import token_in
from tests.support.people import TOKEN, add_people
from tests.unit.worklist.test_access import NOW, log_in
from worklist.app import make_app
from worklist.http.language import COOKIE, accepted_language

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
GERMAN = {"Cookie": f"{COOKIE}=de"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No language is another one on PostgreSQL."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def german_site(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings.model_copy(update={"language": "de"}))) as opened:
        yield opened


def test_english_is_what_a_site_speaks_by_itself(client: TestClient) -> None:
    page = client.get("/", headers={"Accept-Language": "de"})
    assert '<html lang="en">' in page.text
    assert page.headers["content-language"] == "en"
    assert 'id="texts"' not in page.text


def test_a_setting_chooses_for_the_site(german_site: TestClient, studies: dict[str, str]) -> None:
    page = german_site.get("/")
    assert '<html lang="de">' in page.text
    assert page.headers["content-language"] == "de"
    assert {"Cookie", "Accept-Language"} <= set(page.headers["vary"].split(", "))
    assert "Forschungssoftware, kein Medizinprodukt" in page.text
    assert "KI 97 % (Schwelle 50 %)." in page.text
    assert "Nicht bewertet: Die Datei endet vor ihrem Bild. Bitte erneut senden." in page.text
    assert '<script type="application/json" id="texts">' in page.text


def test_the_log_in_and_errors_are_in_the_language_too(german_site: TestClient) -> None:
    assert "kein Medizinprodukt" in german_site.get("/login").text
    error = german_site.get("/nothing", headers=BROWSER)
    assert error.headers["content-language"] == "de"
    assert "Es gibt keine solche Seite" in error.text


def test_programs_are_answered_in_english(german_site: TestClient, studies: dict[str, str]) -> None:
    german = german_site.get("/api/v1/worklist", headers={"Accept-Language": "de"} | GERMAN)
    (cut,) = [row for row in german.json()["studies"] if row["study_instance_uid"] == "1.3"]
    assert "The file ends before its image does" in cut["why"]
    problem = german_site.get("/api/v1/studies/9.9", headers={"Accept": "application/json"})
    assert problem.json()["detail"] == "No study has this Study Instance UID."


def test_scripts_of_a_page_ask_for_sentences_in_its_language(client: TestClient) -> None:
    problem = client.get("/api/v1/studies/9.9", headers={"X-Page-Language": "de"})
    assert problem.json()["detail"] == "Keine Untersuchung hat diese Study Instance UID."


def test_a_browser_chooses_where_nobody_logs_in(client: TestClient) -> None:
    form = {"language": "de", "back": "/refused?code=truncated"}
    answer = client.post("/language", data=form, headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/refused?code=truncated")
    assert '<html lang="de">' in client.get("/").text


def test_a_choice_leads_to_no_other_server_and_to_no_unknown_language(client: TestClient) -> None:
    form = {"language": "de", "back": "//elsewhere.example/"}
    answer = client.post("/language", data=form, headers=BROWSER, follow_redirects=False)
    assert answer.headers["location"] == "/"
    form = {"language": "../de", "back": "/"}
    assert client.post("/language", data=form, headers=BROWSER).status_code == 422


def test_an_account_keeps_its_choice_wherever_it_logs_in(
    settings: Settings, database: Database
) -> None:
    add_people(database, NOW)
    app = make_app(settings)
    with TestClient(app) as first, TestClient(app) as second:
        log_in(first, "reader")
        token = token_in(first.get("/").text)
        form = {"language": "de", "form_token": token}
        without_token = {"language": "de"}
        assert first.post("/language", data=without_token, headers=BROWSER).status_code == 403
        assert first.post("/language", data=form, headers=BROWSER).status_code == 200
        log_in(second, "reader")
        assert '<html lang="de">' in second.get("/").text
        # Another account at the same browser has its own choice; only the log-in is German here.
        first.cookies.delete("readfirst")
        assert '<html lang="de">' in first.get("/login").text
        log_in(first, "lead")
        assert '<html lang="en">' in first.get("/").text
        # What somebody may not see is said in their language.
        denied = second.get("/watching", headers=BROWSER)
        assert denied.status_code == 403
        assert "Ihre Rolle (reader) hat hierauf keinen Zugriff." in denied.text
        program = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": "de"}
        assert "Worklist" not in second.get("/api/v1/worklist", headers=program).text


def test_a_browser_is_asked_where_the_setting_says_so(
    settings: Settings, database: Database
) -> None:
    app = make_app(settings.model_copy(update={"language": "auto"}))
    with TestClient(app) as opened:
        assert '<html lang="de">' in opened.get("/", headers={"Accept-Language": "de-AT"}).text
        assert '<html lang="en">' in opened.get("/", headers={"Accept-Language": "fr"}).text
        chosen = {"Accept-Language": "de-AT", "Cookie": f"{COOKIE}=en"}
        assert '<html lang="en">' in opened.get("/", headers=chosen).text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-de,de;q=0.9,en;q=0.8", "de"),
        ("fr-FR,fr;q=0.9,en;q=0.8,de;q=0.7", "en"),
        ("en;q=0.1,de;q=0.5", "de"),
        ("de;q=0", "en"),
        ("de;q=much, en", "en"),
        ("*", "en"),
    ],
)
def test_the_language_that_a_browser_likes_best_is_taken(header: str, code: str) -> None:
    assert accepted_language(header) == code


def test_two_languages_at_a_time_never_mix(client: TestClient, studies: dict[str, str]) -> None:
    def look(code: str) -> str:
        return client.get("/", headers={"Cookie": f"{COOKIE}={code}"}).text

    words = {"en": "Pneumonia likely", "de": "Pneumonie wahrscheinlich"}
    with ThreadPoolExecutor(8) as pool:
        codes = [*NAMES] * 12
        for code, page in zip(codes, pool.map(look, codes), strict=True):
            assert words[code] in page
            assert not any(word in page for other, word in words.items() if other != code)


def test_a_study_is_told_in_german_with_its_dates(
    german_site: TestClient, studies: dict[str, str]
) -> None:
    page = german_site.get("/studies/1.2").text
    assert f"{NOW.astimezone():%d.%m.%Y}" in page
    for text in ("Zeitverlauf", "Als befundet markieren <kbd>e</kbd>", "Ergebnis der KI", "HTQ"):
        assert text in page
    # What a file says stays as it is.
    assert "&lt;b&gt;Díaz, Lucía" in page
