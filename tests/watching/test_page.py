"""The page of the lead: what it says of weeks that were, and of nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.weeks import Weeks, fill_weeks
from db.session import Database
from readfirst.settings import Settings
from worklist.app import make_app
from worklist.pages.charts import Chart, Kind, Series, Unit, percent, seconds, written

TODAY = datetime.now(UTC).date()
ROOT = Path(__file__).parents[2]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """What the two kinds of database do is seen in `test_figures.py`."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as opened:
        yield opened


def drawn(page: str) -> list[dict[str, Any]]:
    """What the script is given to draw."""
    block = page.split('<script type="application/json" id="drawn">')[1]
    found: list[dict[str, Any]] = json.loads(block.split("</script>")[0])
    return found


def test_weeks_of_a_department_are_drawn_and_told(client: TestClient, database: Database) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=60), days=60, per_day=25))
    page = client.get("/watching").text
    ids = [str(chart["id"]) for chart in drawn(page)]
    flow = ["volumes", "flagged", "to-worklist", "to-read", "refusals"]
    assert ids[:7] == [*flow, "agreement-1", "calibration-1"]
    assert {name.removeprefix("drift-") for name in ids[7:]} == {
        f"{subject}-{against}"
        for subject in ("scores", "exposure", "clipping", "refusals")
        for against in ("reference", "baseline")
    }
    for name in ids:
        assert f'data-chart="{name}"' in page
    volumes = client.get("/api/v1/watching/volumes").json()
    studies = sum(row["studies"] for row in volumes)
    assert f"{studies:,} studies came in, {studies / 28:,.0f} a day" in page
    assert "flagged studies after" in page
    assert "verification bias" in page
    assert (
        f"/api/v1/watching/times?from={volumes[0]['first']}&amp;to={TODAY}&amp;format=csv" in page
    )


def test_the_plots_hold_what_the_api_gives(client: TestClient, database: Database) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=90), days=90, per_day=5))
    asked = f"from={TODAY - timedelta(days=89)}&to={TODAY}"
    charts = {str(chart["id"]): chart for chart in drawn(client.get(f"/watching?{asked}").text)}
    rows = client.get(f"/api/v1/watching/volumes?{asked}").json()
    by_label = {one["label"]: one for one in charts["volumes"]["series"]}
    assert by_label["Scored"]["values"] == [row["scored"] for row in rows]
    (flagged,) = charts["flagged"]["series"]
    assert flagged["high"] == [row["flagged_high"] for row in rows]
    assert charts["volumes"]["x_label"] == "Week"


def test_a_site_without_films_is_told_so(client: TestClient) -> None:
    answer = client.get("/watching")
    assert answer.status_code == 200
    assert [chart["id"] for chart in drawn(answer.text)] == ["volumes"]
    for words in (
        "No film was scored",
        "No study of this time has a verdict",
        "Nothing was refused",
    ):
        assert words in answer.text


def test_a_time_that_is_none_is_refused(client: TestClient) -> None:
    assert client.get("/watching?from=2026-02-01&to=2026-01-01").status_code == 422
    assert client.get("/watching?from=nothing").status_code == 422


def test_what_a_header_says_cannot_break_out_of_the_page(
    client: TestClient, database: Database
) -> None:
    odd = ("</script><script>alert(1)</script>", "<b>", "'\"")
    weeks = Weeks(first=TODAY - timedelta(days=9), days=9, per_day=25, scanners={odd: 1.0})
    fill_weeks(database, weeks)
    page = client.get("/watching").text
    assert "<script>alert" not in page
    assert "<b>" not in page
    labels = {one["label"] for chart in drawn(page) for one in chart["series"]}
    assert " · ".join(odd) in labels


def test_a_plot_says_the_same_as_a_table() -> None:
    chart = Chart(
        id="x",
        title="X",
        kind=Kind.LINES,
        unit=Unit.SHARE,
        x_label="Day",
        y_label="Y",
        places=("1 Jan", "2 Jan", "3 Jan"),
        series=(
            Series(
                label="A",
                colour="link",
                values=(0.5, None, None),
                low=(0.4, None, None),
                high=(0.6, None, None),
            ),
            Series(label="B", colour="flag", values=(None, None, 0.031)),
        ),
        csv="x",
    )
    assert chart.columns == ("Day", "A", "B")
    assert chart.table == [
        ("1 Jan", "50 % (40.0 – 60.0 %)", "–"),
        ("3 Jan", "–", "3.1 %"),
    ]
    assert not chart.is_empty
    assert replace(chart, series=(Series(label="A", colour="link", values=(None,)),)).is_empty


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1234.0, Unit.COUNT, "1,234"),
        (None, Unit.COUNT, "–"),
        (0.05, Unit.SHARE, "5.0 %"),
        (0.5, Unit.SHARE, "50 %"),
        (1.0, Unit.SHARE, "100 %"),
        (3.71, Unit.SECONDS, "3.7 s"),
        (65.0, Unit.SECONDS, "1 min"),
        (0.12345, Unit.INDEX, "0.123"),
    ],
)
def test_values_are_written_for_people(value: float | None, unit: Unit, words: str) -> None:
    assert written(value, unit) == words


@settings(deadline=None)
@given(value=st.floats(0, 1))
def test_a_share_that_is_neither_nothing_nor_all_never_looks_so_by_whole_per_cent(
    value: float,
) -> None:
    said = percent(value)
    if 0.0005 <= value <= 0.9995:
        assert said not in ("0 %", "100 %", "0.0 %", "100.0 %")


def test_durations_have_one_unit_or_two() -> None:
    assert [seconds(value) for value in (0.04, 59.0, 7500.0, 90_000.0)] == [
        "0.0 s",
        "59 s",
        "2 h 05",
        "1 d 1 h",
    ]


def test_the_uplot_that_is_vendored_is_the_one_in_the_notice() -> None:
    static = ROOT / "worklist" / "static"
    version = (static / "uplot.min.js").read_text().split("(v")[1].split(")")[0]
    assert f"uPlot {version} " in (ROOT / "NOTICE").read_text()
    assert "Permission is hereby granted" in (static / "uplot-LICENSE.txt").read_text()
