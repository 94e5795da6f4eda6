"""Alerts by what happens to a department: opened, never doubled, and cleared."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from benchmarks.synthetic_history import InventedFilm, Weeks, fill_weeks
from db.monitoring.alerts import open_alerts
from readfirst.domain import Exposure
from readfirst.monitoring.alerts import AlertKind
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding
from tests.support.workers import Worker
from worklist.app import make_app

BEGUN = date(2026, 1, 5)
UTC_ZONE = ZoneInfo("UTC")
WEEKS = Weeks(first=BEGUN, days=56, per_day=60)
#: What PostgreSQL does differently is seen in the tests without it.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def evening(days: int) -> datetime:
    """The end of a day of the weeks, counted from 0."""
    day = BEGUN + timedelta(days=days)
    return datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC_ZONE)


@pytest.fixture
def site(worker: Worker) -> Worker:
    """A site that has told its prevalence."""
    return worker.with_settings(prevalence=0.2, hosts=("testserver",))


def open_keys(site: Worker) -> list[tuple[AlertKind, str]]:
    with site.database.read() as session:
        return [(view.kind, view.about) for view in open_alerts(session)]


def brighter(film: InventedFilm) -> InventedFilm:
    if film.scanner[2] != "WARD":
        return film
    grey = min(film.exposure.median_grey + 40, 255.0)
    return replace(film, exposure=Exposure(grey, film.exposure.clipped_share))


def test_a_drift_raises_one_alert_and_clears(site: Worker) -> None:
    fill_weeks(site.database, replace(WEEKS, days=42))
    assert site.check_alerts(evening(41)).opened == ()
    changed = replace(WEEKS, first=BEGUN + timedelta(days=42), days=14, seed=2)
    fill_weeks(site.database, changed, brighter)
    drift = (AlertKind.DRIFT, "exposure")
    assert site.check_alerts(evening(55)).opened == (drift,)
    with site.database.read() as session:
        (alert,) = open_alerts(session)
    assert "WARD" in alert.detail
    assert alert.value > 0.25
    assert site.check_alerts(evening(55)).opened == ()
    assert open_keys(site) == [drift]
    mended = replace(WEEKS, first=BEGUN + timedelta(days=56), days=14, seed=3)
    fill_weeks(site.database, mended)
    assert site.check_alerts(evening(69)).cleared == (drift,)
    assert open_keys(site) == []


def refused_as(code: RefusalCode, share: float) -> Callable[[InventedFilm], InventedFilm]:
    def changed(film: InventedFilm) -> InventedFilm:
        if film.number % 100 >= 100 * share:
            return film
        return replace(film, probability=None, code=code, finding=None)

    return changed


@sqlite_only
def test_refusals_that_jump_are_told_by_their_code(site: Worker) -> None:
    fill_weeks(site.database, replace(WEEKS, days=41))
    odd = replace(WEEKS, first=BEGUN + timedelta(days=42), days=1)
    fill_weeks(site.database, odd, refused_as(RefusalCode.LATERALITY_ONE_SIDE, 0.3))
    assert site.check_alerts(evening(42)).opened == (
        (AlertKind.REFUSALS_JUMPED, "laterality_one_side"),
    )
    fill_weeks(site.database, replace(WEEKS, first=BEGUN + timedelta(days=44), days=1))
    assert len(site.check_alerts(evening(44)).cleared) == 1


@sqlite_only
def test_films_that_stay_away_are_missed_by_day_and_not_by_night(site: Worker) -> None:
    fill_weeks(site.database, replace(WEEKS, days=43))
    # Day 42 is a Monday; nothing comes on Tuesday.
    tuesday = evening(42) + timedelta(days=1)
    assert site.check_alerts(tuesday.replace(hour=5)).opened == ()
    noon = tuesday.replace(hour=13)
    assert site.check_alerts(noon).opened == ((AlertKind.NO_FILMS, ""),)
    assert site.check_alerts(noon + timedelta(days=30)).cleared == (), "it is no use to wait"
    again = replace(WEEKS, first=BEGUN + timedelta(days=44), days=1)
    fill_weeks(site.database, again)
    assert (AlertKind.NO_FILMS, "") in site.check_alerts(evening(44)).cleared


@sqlite_only
def test_a_new_site_is_not_missed(site: Worker) -> None:
    assert site.check_alerts(evening(0)).opened == ()
    fill_weeks(site.database, replace(WEEKS, days=20))
    assert site.check_alerts(evening(22)).opened == ()


def doubted(film: InventedFilm) -> InventedFilm:
    """Readers find no pneumonia anywhere."""
    return replace(film, finding=film.finding and Finding.NO_PNEUMONIA)


@sqlite_only
def test_a_ppv_that_is_surely_low_is_told_everywhere(site: Worker) -> None:
    fill_weeks(site.database, WEEKS, doubted)
    assert site.check_alerts(evening(55)).opened == ((AlertKind.PPV_LOW, "1"),)
    with TestClient(make_app(site.settings)) as client:
        (row,) = client.get("/api/v1/watching/alerts").json()
        assert (row["kind"], row["about"], row["bound"]) == ("ppv_low", "1", 0.5)
        metrics = client.get("/metrics").text
        assert 'readfirst_alerts{about="1",kind="ppv_low"} 1.0' in metrics
        page = client.get("/watching").text
        assert "Readers confirm too few of the flagged studies." in page
        assert '<span class="alerts">1' in client.get("/").text
    lenient = site.with_settings(least_ppv=0.0)
    assert lenient.check_alerts(evening(55)).cleared == ((AlertKind.PPV_LOW, "1"),)
