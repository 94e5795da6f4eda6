"""Drift that is put in is found, where it is and when it was; and none where there is none."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.synthetic_history import InventedFilm, Weeks, fill_weeks
from db.monitoring.drift import Drift, drift
from db.monitoring.kept_days import MonitoringData
from db.monitoring.scanners import EVERY_SCANNER, MOST_SCANNERS, OTHER_SCANNERS, busiest
from db.session import Database
from models.combining import logit, sigmoid
from readfirst.domain import Exposure
from readfirst.monitoring.period import Period, make_period
from readfirst.monitoring.stability import Judged
from tests.fixtures.monitoring import CONFIG, MADRID, NOW

BEGUN = date(2026, 1, 5)
WEEKS = Weeks(first=BEGUN, days=56, per_day=60, zone=MADRID)
WARD = "Kestrel · Mobile X · WARD"
SITE = replace(CONFIG, prevalence=0.2)
#: What PostgreSQL does differently is seen in the tests without it.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
#: The last four of the eight weeks.
LATER = make_period(BEGUN + timedelta(days=28), BEGUN + timedelta(days=55), NOW, MADRID)


def drift_rows(database: Database, period: Period = LATER) -> list[Drift]:
    with database.read() as session:
        return drift(MonitoringData(session), period, SITE)


def of(rows: list[Drift], *judged: Judged) -> set[tuple[str, str, str]]:
    return {(row.subject, row.against, row.scanner) for row in rows if row.judged in judged}


@sqlite_only
def test_where_nothing_changes_nothing_is_found(database: Database) -> None:
    fill_weeks(database, WEEKS)
    rows = drift_rows(database)
    assert of(rows, Judged.DRIFT) == set()
    whole = [row for row in rows if row.span == "period" and row.scanner == EVERY_SCANNER]
    assert {(row.subject, row.against) for row in whole} == {
        (subject, against)
        for subject in ("scores", "exposure", "clipping", "refusals")
        for against in ("reference", "baseline")
    }
    assert all(row.psi is not None and row.psi < 0.1 for row in whole)
    weeks = [row for row in rows if row.span == "week" and row.scanner == WARD]
    assert {row.first for row in weeks} == {week.first for week in LATER.weeks}


def brighter(film: InventedFilm) -> InventedFilm:
    """In the last two weeks the mobile scanner has another processing."""
    late = film.at.date() >= BEGUN + timedelta(days=42)
    if not late or film.scanner[2] != "WARD" or film.probability is None:
        return film
    shifted = sigmoid(logit(np.array(film.probability)) + 3)
    grey = min(film.exposure.median_grey + 25, 255.0)
    exposure = Exposure(grey, film.exposure.clipped_share)
    return replace(film, exposure=exposure, probability=float(shifted))


def test_a_scanner_that_changes_is_named_from_the_week_on(database: Database) -> None:
    fill_weeks(database, WEEKS, brighter)
    drifting = [row for row in drift_rows(database) if row.judged is Judged.DRIFT]
    assert {row.scanner for row in drifting} == {WARD}
    assert {row.subject for row in drifting} == {"scores", "exposure"}
    weekly = {(row.subject, row.against, row.first) for row in drifting if row.span == "week"}
    assert {first for *_, first in weekly} == {week.first for week in LATER.weeks[2:]}
    assert {against for _, against, _ in weekly} == {"reference", "baseline"}


@sqlite_only
def test_too_few_films_are_not_judged(database: Database) -> None:
    fill_weeks(database, replace(WEEKS, per_day=1))
    rows = [row for row in drift_rows(database) if row.span == "week"]
    assert rows
    assert {row.judged for row in rows} == {Judged.TOO_FEW}
    assert {row.psi for row in rows} == {None}
    assert {row.against for row in rows} == {"reference"}, "first weeks of too few films are none"


@sqlite_only
def test_the_first_weeks_are_not_held_against_themselves(database: Database) -> None:
    fill_weeks(database, WEEKS)
    both = make_period(BEGUN, BEGUN + timedelta(days=55), NOW, MADRID)
    rows = [row for row in drift_rows(database, both) if row.against == "baseline"]
    assert {row.span for row in rows} == {"week"}
    assert min(row.first for row in rows) == BEGUN + timedelta(days=28)
    first = make_period(BEGUN, BEGUN + timedelta(days=20), NOW, MADRID)
    assert {row.against for row in drift_rows(database, first)} == {"reference"}


@sqlite_only
def test_a_site_chooses_what_it_is_held_against(database: Database) -> None:
    fill_weeks(database, replace(WEEKS, days=14), brighter)
    days = (BEGUN, BEGUN + timedelta(days=6))
    later = make_period(BEGUN + timedelta(days=7), BEGUN + timedelta(days=13), NOW, MADRID)
    with database.read() as session:
        rows = drift(MonitoringData(session), later, replace(SITE, baseline=days))
    assert ("scores", "baseline", EVERY_SCANNER) in of(rows, Judged.STABLE)


def test_without_an_ensemble_there_is_nothing_to_hold_against(database: Database) -> None:
    assert drift_rows(database) == []


def test_scanners_of_few_films_stand_together() -> None:
    counted = {(f"scanner {n}", 0): np.array([n, 1]) for n in range(MOST_SCANNERS + 5)}
    rows = busiest(counted)
    assert len(rows) == MOST_SCANNERS + 2
    assert list(rows[OTHER_SCANNERS, 0]) == [0 + 1 + 2 + 3 + 4, 5]
    assert list(rows[EVERY_SCANNER, 0]) == [sum(range(25)), 25]


@sqlite_only
@pytest.mark.parametrize("prevalence", [0.2, 0.6])
def test_another_share_of_the_sick_is_told_by_the_sites_prevalence(
    database: Database, prevalence: float
) -> None:
    fill_weeks(database, replace(WEEKS, prevalence=0.6))
    with database.read() as session:
        rows = drift(MonitoringData(session), LATER, replace(SITE, prevalence=prevalence))
    scores = [row for row in rows if (row.subject, row.against) == ("scores", "reference")]
    whole = next(row for row in scores if row.span == "period" and row.scanner == EVERY_SCANNER)
    assert (whole.judged is Judged.DRIFT) == (prevalence == 0.2)
