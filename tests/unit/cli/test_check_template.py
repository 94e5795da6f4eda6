"""`readfirst results check-template`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from readfirst.errors import Misconfigured
from readfirst.results.hl7.oru import default_template


def run(*arguments: str, expected: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, ["results", "check-template", *arguments])
    assert result.exit_code == expected, result.output
    return result.stdout, result.stderr


def test_the_default_makes_valid_messages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HL7_APPLICATIONS", "READFIRST|RAD|RIS|HOSP")
    out, err = run()
    assert out.count("MSH|^~\\&|READFIRST|RAD|RIS|HOSP|") == 4
    assert "valid by HL7 v2.5.1" in err


def test_a_copy_of_the_default_can_be_changed(tmp_path: Path) -> None:
    out, _ = run("--source")
    assert out == default_template().text
    copy = tmp_path / "oru.jinja"
    copy.write_text(out.replace("OBX||ST|113014", "ZDS|{{ study.uid }}\nOBX||ST|113014"))
    out, _ = run(str(copy), expected=1)
    assert "ZDS|2.25.1\n" in out, "made, though the standard has no such segment here"


def test_what_the_standard_forbids_is_told(tmp_path: Path) -> None:
    file = tmp_path / "oru.jinja"
    file.write_text(default_template().text.replace("{{ patient.name }}", ""))
    _, err = run(str(file), expected=1)
    assert "PID_5" in err


def test_a_template_that_lowers_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "oru.jinja"
    file.write_text(default_template().text.replace("A^ASAP^HL70485", "R^Routine^HL70485"))
    result = CliRunner().invoke(app, ["results", "check-template", str(file)])
    assert isinstance(result.exception, Misconfigured)
    assert "a result may only raise" in str(result.exception)
