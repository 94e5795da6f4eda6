"""The page of the lead: what it says of weeks that were, and of nothing."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.synthetic_history import Weeks, fill_weeks
from db.lifecycle.verdicts import VerdictInput
from db.monitoring.drift import Drift
from db.session import Database
from readfirst.formatting import readable_share
from readfirst.monitoring.stability import Judged
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.support.studies import a_scored_image, give_verdict
from worklist.app import make_app
from worklist.pages.monitoring.charts import (
    Chart,
    Kind,
    Series,
    Unit,
    seconds,
    ticks,
    written,
)
from worklist.pages.monitoring.status import status_line

TABS = ("flow", "readers", "drift", "alerts")
TODAY = datetime.now(UTC).date()
ROOT = Path(__file__).parents[3]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A file: `test_figures.py` has both kinds of database."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(make_app(settings)) as opened:
        yield opened


def drawn(page: str) -> list[dict[str, Any]]:
    """The charts that the script is given to draw."""
    block = page.split('<script type="application/json" id="chart-data">')[1]
    charts: list[dict[str, Any]] = json.loads(block.split("</script>")[0])
    return charts


def test_weeks_of_a_department_are_drawn_and_told(client: TestClient, database: Database) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=60), days=60, per_day=25))
    pages = {tab: client.get(f"/watching?tab={tab}").text for tab in TABS}
    ids = {tab: [str(chart["id"]) for chart in drawn(page)] for tab, page in pages.items()}
    assert ids["flow"] == ["volumes", "flagged", "to-worklist", "to-read", "refusals"]
    assert ids["readers"] == ["agreement-1", "calibration-1"]
    assert {name.removeprefix("drift-") for name in ids["drift"]} == {
        f"{subject}-{against}"
        for subject in ("scores", "exposure", "clipping", "refusals")
        for against in ("reference", "baseline")
    }
    assert ids["alerts"] == []
    for tab, page in pages.items():
        assert all(f'data-chart="{name}"' in page for name in ids[tab])
    page = client.get("/watching").text
    assert page == pages["flow"]
    volumes = client.get("/api/v1/watching/volumes").json()
    studies = sum(row["studies"] for row in volumes)
    assert f"{studies:,} studies came in, {studies / 28:,.0f} a day" in page
    assert "flagged studies after" in page
    assert "verification bias" in pages["readers"]
    assert (
        f"/api/v1/watching/times?from={volumes[0]['first']}&amp;to={TODAY}&amp;format=csv" in page
    )


def test_the_plots_hold_what_the_api_gives(client: TestClient, database: Database) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=90), days=90, per_day=5))
    query = f"from={TODAY - timedelta(days=89)}&to={TODAY}"
    charts = {str(chart["id"]): chart for chart in drawn(client.get(f"/watching?{query}").text)}
    rows = client.get(f"/api/v1/watching/volumes?{query}").json()
    by_label = {series["label"]: series for series in charts["volumes"]["series"]}
    assert by_label["Scored"]["values"] == [row["scored"] for row in rows]
    (flagged,) = charts["flagged"]["series"]
    assert flagged["high"] == [row["flagged_high"] for row in rows]
    assert charts["volumes"]["x_label"] == "Week"


def test_a_site_without_films_is_told_so(client: TestClient) -> None:
    answer = client.get("/watching")
    assert answer.status_code == 200
    assert [chart["id"] for chart in drawn(answer.text)] == ["volumes"]
    for words in ("No film was scored", "Nothing was refused", "No alert."):
        assert words in answer.text
    assert "No study of this time has a verdict" in client.get("/watching?tab=readers").text
    assert "No alerts in this period. Checked hourly." in client.get("/watching?tab=alerts").text


def test_a_time_that_is_none_is_refused(client: TestClient) -> None:
    assert client.get("/watching?from=2026-02-01&to=2026-01-01").status_code == 422
    assert client.get("/watching?from=nothing").status_code == 422


def test_what_a_header_says_cannot_break_out_of_the_page(
    client: TestClient, database: Database
) -> None:
    odd = ("</script><script>alert(1)</script>", "<b>", "'\"")
    weeks = Weeks(first=TODAY - timedelta(days=9), days=9, per_day=25, scanners={odd: 1.0})
    fill_weeks(database, weeks)
    page = client.get("/watching?tab=drift").text
    assert "<script>alert" not in page
    assert "<b>" not in page
    labels = {series["label"] for chart in drawn(page) for series in chart["series"]}
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


def test_the_script_is_given_every_text_of_the_tables(
    client: TestClient, database: Database
) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=40), days=40, per_day=25))
    pages = [client.get(f"/watching?tab={tab}").text for tab in TABS]
    charts = [(page, chart) for page in pages for chart in drawn(page)]
    assert {chart["unit"] for _, chart in charts} == {*Unit}
    for page, chart in charts:
        figure = page.split(f'id="figure-{chart["id"]}"')[1].split("</figure>")[0]
        rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", figure, re.DOTALL)
        table = {_text(label): re.findall("<td.*?>(.*?)</td>", cells) for label, cells in rows}
        texts = dict(zip(chart["places"], zip(*_texts(chart), strict=True), strict=True))
        assert table
        assert table == {label: list(texts[label]) for label in table}


def _text(html: str) -> str:
    """What stands between the tags."""
    return unescape(re.sub("<.*?>", "", html))


def test_each_number_of_findings_leads_to_as_many_studies(
    client: TestClient, database: Database
) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=20), days=20, per_day=10))
    page = client.get("/watching?tab=readers").text
    table = page.split('<table class="findings">')[1].split("</table>")[0]
    links = re.findall(r'<a href="(.*?)">([\d,]+)<', table)
    assert len(links) == 4
    numbers = [int(number.replace(",", "")) for _, number in links]
    assert sum(numbers) > 40
    for (address, _), number in zip(links, numbers, strict=True):
        assert _studies(client, unescape(address)) == number


def test_each_day_and_headline_leads_to_its_studies(client: TestClient, database: Database) -> None:
    fill_weeks(database, Weeks(first=TODAY - timedelta(days=9), days=9, per_day=12))
    page = client.get("/watching").text
    figure = page.split('id="figure-flagged"')[1].split("</figure>")[0]
    rows = {row["first"]: row for row in client.get("/api/v1/watching/volumes").json()}
    days = re.findall(r'<th scope="row"><a href="(.*?)">', figure)
    assert len(days) == 9
    for address in map(unescape, days):
        day = dict(parse_qsl(urlsplit(address).query))["from"]
        assert _studies(client, address) == rows[day]["flagged"]
    refused = page.split('id="figure-refusals"')[1].split("</figure>")[0]
    codes = re.findall(r'<a href="(.*?)">([a-z_]+) ([\d,]+)</a>', refused)
    assert codes
    for address, _, images in codes:
        assert _studies(client, unescape(address)) == int(images)


def _studies(client: TestClient, address: str) -> int:
    """The number of studies that a list has, over all its pages."""
    number, following = 0, [address]
    while following:
        page = client.get(following.pop()).text
        number += page.count('<tr id="study-')
        following = [unescape(each) for each in re.findall(r'<a href="([^"]*)" rel="next"', page)]
    return number


def test_few_verdicts_make_no_headline(client: TestClient, database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, datetime.now(UTC), probability=0.9, study="1.1")
        give_verdict(session, "1.1", VerdictInput(finding=Finding.NO_PNEUMONIA))
    page = client.get("/watching?tab=readers").text
    assert "PPV: too few verdicts (1 of 30)" in page
    assert "Calibration error: too few verdicts (1 of 30)" in page
    ppv = page.split('<th scope="row">PPV</th>')[1].split("</tr>")[0]
    assert _text(ppv) == "–too few verdicts (1 of 30)"


def test_the_status_says_what_to_watch() -> None:
    def row(judged: Judged, psi: float, scanner: str, first: int) -> Drift:
        day = date(2026, 3, first)
        return Drift(
            subject="clipping",
            against="reference",
            scanner=scanner,
            span="week",
            first=day,
            last=day,
            films=90,
            psi=psi,
            by_chance=0.01,
            judged=judged,
            ensemble_versions="1",
        )

    before = row(Judged.DRIFT, 0.9, "ROOM-2", 2)
    now = [row(Judged.CHANGED, 0.29, "ROOM-1", 9), row(Judged.STABLE, 0.02, "ROOM-2", 9)]
    assert status_line([], []) == "No alert."
    assert status_line([], [before, now[1]]) == "No alert."
    assert status_line([], [before, *now]) == (
        "No alert. Watch: clipping of ROOM-1, index 0.29 in the last week "
        "(an alert looks at 14 days)."
    )


def _texts(chart: dict[str, Any]) -> list[list[str]]:
    return [series["texts"] for series in chart["series"]]


@given(
    unit=st.sampled_from([Unit.COUNT, Unit.SHARE, Unit.INDEX]),
    greatest=st.floats(0, 1e6),
    step=st.sampled_from([1, 2, 5]),
    power=st.integers(-3, 6),
)
def test_every_mark_of_an_axis_has_its_text(
    unit: Unit, greatest: float, step: int, power: int
) -> None:
    greatest = min(greatest, 1.0) if unit is Unit.SHARE else greatest
    finest = {Unit.COUNT: 0, Unit.SHARE: -2, Unit.INDEX: -3}[unit]
    marks = [float(f"{step * times}e{power}") for times in range(11)]
    texts = dict(ticks(unit, greatest))
    assume(power >= finest)
    assert all(mark in texts for mark in marks if mark <= min(greatest * 1.08, max(texts)))
    assert max(texts) >= min(greatest, 1.0 if unit is Unit.SHARE else greatest * 1.08)
    assert len(set(texts.values())) == len(texts)


def test_an_axis_is_marked_with_short_texts() -> None:
    assert dict(ticks(Unit.SHARE, 1))[0.07] == "7 %"
    assert dict(ticks(Unit.COUNT, 1500))[1200] == "1,200"
    assert dict(ticks(Unit.INDEX, 0.2))[0.05] == "0.05"
    assert dict(ticks(Unit.SECONDS, 1))[3600] == "1 h"


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
    text = readable_share(value)
    if 0.0005 <= value <= 0.9995:
        assert text not in ("0 %", "100 %", "0.0 %", "100.0 %")


def test_durations_have_one_unit_or_two() -> None:
    assert [seconds(value) for value in (0.04, 59.0, 7500.0, 90_000.0)] == [
        "0.0 s",
        "59 s",
        "2 h 05",
        "1 d 1 h",
    ]


def test_the_uplot_that_is_vendored_is_the_one_in_the_notice() -> None:
    vendor = ROOT / "worklist" / "static" / "vendor"
    version = (vendor / "uplot.min.js").read_text().split("(v")[1].split(")")[0]
    assert f"uPlot {version} " in (ROOT / "NOTICE").read_text()
    assert "Permission is hereby granted" in (vendor / "uplot-LICENSE.txt").read_text()
