"""A name that looks like a setting and is none is noticed: it may be misspelt."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings, unknown_settings
from readfirst.settings.unknown import OTHER_NAMES

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"READFIRST_{name.upper()}", raising=False)


def test_a_misspelt_setting_is_noticed_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("READFIRST_PREVALANCE", "0.1")
    (unknown,) = unknown_settings()
    assert unknown.sentence == (
        "READFIRST_PREVALANCE is not a setting; did you mean READFIRST_PREVALENCE?"
    )


def test_a_name_that_is_like_none_is_noticed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_COFFEE", "black")
    (unknown,) = unknown_settings()
    assert unknown.sentence == "READFIRST_COFFEE is not a setting and has no effect."


def test_a_name_that_no_text_holds_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_\udce9", "1")
    (unknown,) = unknown_settings()
    assert unknown.sentence.isprintable()


def test_a_misspelt_setting_in_a_dotenv_file_is_noticed() -> None:
    Path(".env").write_text("READFIRST_PROT=9000\nREADFIRST_HOST=127.0.0.1\nOTHER=1\n")
    assert [unknown.nearest for unknown in unknown_settings()] == ["READFIRST_PORT"]


def test_capital_and_small_letters_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("readfirst_port", "9000")
    monkeypatch.setenv("ReadFirst_Strict", "1")
    assert load_settings().port == 9000
    assert unknown_settings() == []
    monkeypatch.setenv("ReadFirst_Prot", "9001")
    assert [unknown.name for unknown in unknown_settings()] == ["READFIRST_PROT"]


def test_settings_and_the_names_of_tests_and_tools_are_no_unknown_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in OTHER_NAMES | {f"READFIRST_{field.upper()}" for field in Settings.model_fields}:
        monkeypatch.setenv(name, "1")
    assert unknown_settings() == []


def test_all_names_of_tests_and_tools_are_known() -> None:
    files = [ROOT / name for name in ("Makefile", "docker-compose.yml", "Dockerfile", ".ci/run")]
    files += (ROOT / "scripts").glob("*.sh")
    files += (ROOT / "tests").rglob("*.py")
    # These misspell names on purpose.
    files.remove(Path(__file__))
    for name in ("test_admin_settings.py", "test_every_text.py"):
        files.remove(ROOT / "tests" / "unit" / "worklist" / name)
    used = {
        name
        for file in files
        for name in re.findall(r"\bREADFIRST_[A-Z_]*[A-Z]\b(?!_|…)", file.read_text())
    }
    known = {f"READFIRST_{field.upper()}" for field in Settings.model_fields}
    assert used - known == OTHER_NAMES


@pytest.mark.parametrize("command", ["up", "demo", "ingest", "receive", "worker", "beat", "serve"])
def test_what_runs_for_long_warns_once_at_its_start(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("READFIRST_PORT", "0")
    monkeypatch.setenv("READFIRST_PREVALANCE", "0.1")
    # No folder can be made there: so it goes no further.
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "file" / "home"))
    result = CliRunner().invoke(app, [command])
    assert isinstance(result.exception, Misconfigured)
    assert "Not a directory" in str(result.exception)
    sentence = "READFIRST_PREVALANCE is not a setting; did you mean READFIRST_PREVALENCE?"
    assert result.stderr.count(sentence) == 1


def test_the_doctor_warns_of_it_and_is_content_with_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def settings() -> Any:
        rows = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
        return next(row for row in rows if row["name"] == "settings")

    assert settings()["warning"] == ""
    monkeypatch.setenv("READFIRST_PREVALANCE", "0.1")
    assert settings()["well"]
    assert "did you mean READFIRST_PREVALENCE?" in settings()["warning"]
    assert "did you mean READFIRST_PREVALENCE?" in CliRunner().invoke(app, ["doctor"]).stdout
