"""The settings on the administrator's page: value and source of each, and no secret."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from readfirst.settings import Settings, load_settings
from readfirst.settings.faults import env_name
from worklist.app import make_app
from worklist.http.language import COOKIE

SECRET = "a secret of forty letters that nobody sees"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings from the environment and from `.env`, two of them misspelt."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_WEBHOOK_URL", "http://127.0.0.1:1/hook?token=abc")
    monkeypatch.setenv("READFIRST_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("READFIRST_PREVALENSE", "0.2")
    Path(".env").write_text("READFIRST_LOG_LEVEL=debug\nREADFIRST_XYZZY=1\n")


def site_settings(**command_line: Any) -> tuple[dict[str, Any], Any, str]:
    settings = load_settings().model_copy(update=command_line)
    with TestClient(make_app(settings), base_url="http://localhost") as client:
        answer = client.get("/api/v1/admin/settings")
        page = client.get("/admin/settings").text
    rows = {row["name"]: row for row in answer.json()["settings"]}
    return rows, answer.json()["unknown"], page + answer.text


def test_every_setting_has_value_source_and_default() -> None:
    rows, _, _ = site_settings(port=8081)
    assert set(rows) == {env_name(field) for field in Settings.model_fields}

    def value_and_source(name: str) -> tuple[str, str]:
        return rows[name]["value"], rows[name]["source"]

    assert value_and_source("READFIRST_LOG_LEVEL") == ("debug", "file")
    assert value_and_source("READFIRST_PORT") == ("8081", "command line")
    assert value_and_source("READFIRST_HOST") == ("127.0.0.1", "default")
    assert rows["READFIRST_HOME"]["source"] == "environment"
    assert rows["READFIRST_LOG_LEVEL"]["default"] == "info"
    assert all(row["description"] for row in rows.values())


def test_no_secret_is_shown() -> None:
    rows, _, all_text = site_settings()
    assert SECRET not in all_text
    assert "token=abc" not in all_text
    for name in ("READFIRST_WEBHOOK_SECRET", "READFIRST_WEBHOOK_URL"):
        assert (rows[name]["value"], rows[name]["secret"]) == ("set", True)
    assert rows["READFIRST_DATABASE_URL"]["value"] == "not set"


def test_unknown_names_come_with_the_nearest_setting() -> None:
    _, unknown, all_text = site_settings()
    assert unknown == [
        {"name": "READFIRST_PREVALENSE", "nearest": "READFIRST_PREVALENCE"},
        {"name": "READFIRST_XYZZY", "nearest": None},
    ]
    assert "READFIRST_PREVALENSE is not a setting; did you mean READFIRST_PREVALENCE?" in all_text


def test_the_page_describes_settings_in_its_language_and_the_api_in_english() -> None:
    with TestClient(make_app(load_settings()), base_url="http://localhost") as client:
        german = {"Cookie": f"{COOKIE}=de"}
        page = client.get("/admin/settings", headers=german).text
        document = client.get("/api/v1/admin/settings", headers=german).json()
    for text in (
        "Port der Seite; 0 nimmt einen freien.",
        "Ordner, Datenbank und Zeitzone",
        "nicht gesetzt",
        "READFIRST_PREVALENSE ist keine Einstellung; ist READFIRST_PREVALENCE gemeint?",
    ):
        assert text in page
    assert "Port of the page" not in page
    rows = {row["name"]: row for row in document["settings"]}
    assert rows["READFIRST_PORT"]["description"] == "Port of the page; 0 takes a free one."
    assert rows["READFIRST_DATABASE_URL"]["value"] == "not set"
    assert rows["READFIRST_PORT"]["group"] == "Web"
