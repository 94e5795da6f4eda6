"""The same figures by API, as JSON and CSV, and at the command line."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from benchmarks.synthetic_history import Weeks, fill_weeks
from cli import app
from db.access.audit import AuditAction, entries
from db.monitoring.figures import FIGURES
from db.session import Database
from readfirst.errors import Misconfigured
from readfirst.settings import Settings
from worklist.app import make_app

TODAY = datetime.now(UTC).date()
API = "/api/v1/watching"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A file: `test_figures.py` has both kinds of database."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def weeks(database: Database) -> Weeks:
    weeks = Weeks(first=TODAY - timedelta(days=40), days=40, per_day=12)
    fill_weeks(database, weeks)
    return weeks


@pytest.fixture
def client(settings: Settings, weeks: Weeks) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path, database_url: str, weeks: Weeks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("READFIRST_DATABASE_URL", database_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["watching", *arguments])


def test_each_figure_comes_as_json_and_as_csv(client: TestClient) -> None:
    for name in FIGURES:
        rows = client.get(f"{API}/{name}").json()
        answer = client.get(f"{API}/{name}?format=csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        as_csv = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(as_csv) == len(rows)
        assert not rows or list(as_csv[0]) == list(rows[0])


def test_the_days_are_chosen_in_the_address(client: TestClient) -> None:
    rows = client.get(f"{API}/volumes").json()
    assert (len(rows), rows[-1]["last"]) == (28, TODAY.isoformat())
    first = TODAY - timedelta(days=20)
    last = first + timedelta(days=4)
    rows = client.get(f"{API}/volumes?from={first}&to={last}").json()
    assert [row["first"] for row in rows] == [str(first + timedelta(days=n)) for n in range(5)]
    assert all(row["images"] == row["scored"] + row["refused"] > 0 for row in rows)
    early = client.get(f"{API}/volumes?from=2020-01-01&to=2020-01-28").json()
    assert sum(row["images"] for row in early) == 0


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-02-30",
        "from=x",
        "to=0001-01-01",
        "from=2026-02-01&to=2026-01-01",
        "from=1950-1-1",
    ],
)
def test_days_that_are_none_are_a_problem(client: TestClient, query: str) -> None:
    answer = client.get(f"{API}/volumes?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_whoever_looks_is_noted(client: TestClient, database: Database) -> None:
    client.get(f"{API}/refusals")
    with database.read() as session:
        (entry,) = entries(session, limit=9)
    assert entry.action == AuditAction.MONITORING_VIEWED


@pytest.mark.usefixtures("home")
def test_the_command_line_says_the_same(client: TestClient) -> None:
    for name in FIGURES:
        assert (
            run(name, "--csv").stdout.split() == client.get(f"{API}/{name}?format=csv").text.split()
        )
    figures = json.loads(run("--json").stdout)
    assert figures == {name: client.get(f"{API}/{name}").json() for name in FIGURES}
    first = date.today() - timedelta(days=30)
    week = run("volumes", "--json", "--from", str(first), "--to", str(first + timedelta(days=6)))
    assert len(json.loads(week.stdout)) == 7


@pytest.mark.usefixtures("home")
def test_without_a_format_tables_are_printed_for_people() -> None:
    text = run().stdout
    for name in FIGURES:
        assert f"{name.capitalize()}: " in text
    assert TODAY.isoformat() in text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--csv"], "--csv wants one of"),
        (["nothing"], "is none of"),
        (["--from", "2026-13-01"], "--from"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "before the first"),
    ],
)
def test_what_is_not_understood_is_said(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, Misconfigured)
    assert sentence in str(result.exception)
