"""Counts of the queries, on both databases, against what was put in."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.synthetic_history import Weeks, fill_weeks, invented
from db.access.audit import Actor
from db.ensembles.versions import EnsembleFacts, promote, register
from db.images import NewArrival
from db.inbox.ignored_files import add_ignored_file
from db.lifecycle.verdicts import VerdictInput
from db.monitoring.kept_days import MonitoringData
from db.monitoring.scanners import scanners
from db.monitoring.times import times
from db.monitoring.verdicts import Measure, calibration, verdict_measures
from db.monitoring.volumes import refusals, volumes
from db.session import Database
from db.tables import Image
from readfirst.domain import ImageState
from readfirst.errors import Refused
from readfirst.monitoring.period import Period, make_period
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding
from tests.fixtures.monitoring import CONFIG, MADRID, NOW
from tests.support.studies import (
    POLICY,
    a_header,
    a_ready_image,
    a_scored_image,
    an_image,
    give_verdict,
    lifecycle,
    score_ready,
)


def in_madrid(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=MADRID)


def test_what_came_in_is_counted_on_the_day_of_the_site(database: Database, period: Period) -> None:
    late, early = in_madrid(16, 23, 59), in_madrid(17, 0, 1)
    with database.write() as session:
        a_scored_image(session, late, probability=0.9)
        a_scored_image(session, early, probability=0.1)
        an_image(session, early, refusal=Refused(RefusalCode.TRUNCATED))
        an_image(session, early)
        arrival = NewArrival(
            claim_id="a", relative_path="DICOMDIR", sha256="b", size=1, arrived_at=early
        )
        add_ignored_file(session, arrival, Refused(RefusalCode.DICOM_INDEX))
        an_image(session, in_madrid(15, 23, 59))
        an_image(session, datetime(2026, 3, 2, 0, 0, tzinfo=MADRID))
    with database.read() as session:
        monday, tuesday, *rest = volumes(MonitoringData(session), period)
        refused = refusals(MonitoringData(session), period)
    assert (monday.first, monday.last) == (date(2026, 2, 16), date(2026, 2, 16))
    assert (monday.images, monday.scored, monday.flagged, monday.studies) == (1, 1, 1, 1)
    assert (monday.flagged_share, monday.flagged_high) == (1.0, 1.0)
    assert (tuesday.images, tuesday.scored, tuesday.refused, tuesday.in_work) == (3, 1, 1, 1)
    assert (tuesday.set_aside, tuesday.studies, tuesday.studies_scored) == (1, 3, 1)
    assert tuesday.flagged_share == 0
    assert len(rest) == 12
    assert all(day.images == day.studies == 0 and day.flagged_share is None for day in rest)
    assert [(row.first.day, row.code, row.images) for row in refused] == [(17, "truncated", 1)]


def test_the_time_of_a_film_ends_with_its_first_score(database: Database, period: Period) -> None:
    at = in_madrid(18, 9)
    with database.write() as session:
        image = a_ready_image(session, at)
        session.flush()
        score_ready(session, at + timedelta(seconds=4), {image.id: 0.9})
        image.state = ImageState.READY
        session.flush()
        score_ready(session, at + timedelta(hours=5), {image.id: 0.8}, version="2")
        an_image(session, at)
        an_image(session, at, refusal=Refused(RefusalCode.TRUNCATED))
    with database.read() as session:
        rows = times(MonitoringData(session), period)
    rows = [row for row in rows if row.step == "worklist"]
    whole = {row.studies: row for row in rows if row.span == "period"}
    assert (whole["all"].done, whole["all"].open) == (1, 1), "what is refused is not waited for"
    assert whole["all"].p50 == whole["flagged"].p99 == pytest.approx(4.0)
    assert (whole["not_flagged"].done, whole["not_flagged"].p50) == (0, None)
    assert {(row.first, row.studies) for row in rows if row.span == "day"} == {
        (date(2026, 2, 18), "all"),
        (date(2026, 2, 18), "flagged"),
    }


def test_nobody_waits_for_a_prior_to_be_read(database: Database, period: Period) -> None:
    at = in_madrid(18, 9)
    with lifecycle(database, at, replace(POLICY, prior_after=timedelta(days=90))) as unit:
        for days in (0, 400):
            header = a_header(patient_id="P1", study_datetime=at - timedelta(days=days))
            an_image(unit, at, header=header)
    with database.read() as session:
        data = MonitoringData(session)
        steps = {
            row.step: row.open
            for row in times(data, period)
            if (row.span, row.studies) == ("period", "all")
        }
        studies = len(data.columns("studies", period))
    assert steps == {"worklist": 2, "read": 1}, "it is scored, and not read"
    assert studies == 2


def test_weeks_of_a_department_are_counted_as_they_were(database: Database) -> None:
    weeks = Weeks(first=date(2025, 12, 1), days=70, per_day=12, zone=ZoneInfo("Asia/Tokyo"))
    films = list(invented(weeks, 1))
    assert fill_weeks(database, weeks) == len(films)
    period = make_period(date(2025, 12, 1), date(2026, 2, 8), NOW, weeks.zone)
    assert period.by == "week"
    with database.read() as session:
        weekly = volumes(MonitoringData(session), period)
        codes = refusals(MonitoringData(session), period)
        took = times(MonitoringData(session), period)
    week_of = [(film.at.astimezone(weeks.zone).date() - weeks.first).days // 7 for film in films]
    assert [week.images for week in weekly] == list(np.bincount(week_of))
    flagged = Counter(
        week for week, film in zip(week_of, films, strict=True) if (film.probability or 0) >= 0.9
    )
    assert {number: week.flagged for number, week in enumerate(weekly)} == flagged
    refused = Counter(film.code.value for film in films if film.code)
    by_code: Counter[str] = Counter()
    for row in codes:
        by_code[row.code] += row.images
    assert by_code == refused
    seconds = [film.scored_after.total_seconds() for film in films if not film.code]
    assert took[0].p95 == pytest.approx(np.quantile(seconds, 0.95), abs=1e-4)
    with database.read() as session:
        assert len(session.scalars(select(Image)).all()) == len(films)


def shares(rows: list[Measure], measure: str, span: str = "period") -> list[tuple[int | None, int]]:
    return [(row.hits, row.of) for row in rows if (row.measure, row.span) == (measure, span)]


def a_verdict(session: Session, study: str, finding: Finding | None, **values: object) -> None:
    verdict = VerdictInput(finding=finding, **values)  # type: ignore[arg-type]
    give_verdict(session, study, verdict, Actor("anna", None), in_madrid(20, 12))


def test_the_last_verdict_of_a_study_counts(database: Database, period: Period) -> None:
    yes, no, unsure = Finding.PNEUMONIA, Finding.NO_PNEUMONIA, Finding.CANNOT_TELL
    verdicts: dict[str, tuple[float, list[Finding | None]]] = {
        "1.1": (0.9, [no, yes]),
        "1.2": (0.8, [no]),
        "1.3": (0.1, [yes]),
        "1.4": (0.2, [no]),
        "1.5": (0.95, [yes, unsure]),
        "1.6": (0.95, []),
        "1.7": (0.3, [None]),
    }
    with database.write() as session:
        for uid, (probability, findings) in verdicts.items():
            a_scored_image(session, in_madrid(17, 9), probability=probability, study=uid)
            for finding in findings:
                a_verdict(session, uid, finding)
        a_scored_image(session, in_madrid(17, 9), probability=0.99, study="1.8")
        a_verdict(session, "1.8", no)
        a_verdict(session, "1.8", None, withdrawn=True)
        a_scored_image(session, in_madrid(15, 9), probability=0.99, study="1.9")
        a_verdict(session, "1.9", yes)
    with database.read() as session:
        rows = verdict_measures(MonitoringData(session), period, CONFIG)
        bins = calibration(MonitoringData(session), period, CONFIG)
        took = times(MonitoringData(session), period)
    ratios = {name: shares(rows, name) for name in ("ppv", "npv", "sensitivity", "specificity")}
    assert set(map(tuple, ratios.values())) == {((1, 2),)}
    assert shares(rows, "agreement") == shares(rows, "agreement", "week") == [(2, 4)]
    assert shares(rows, "cannot_tell") == [(1, 5)]
    assert shares(rows, "verdicts") == [(5, 8)]
    assert next(row.value for row in rows if row.measure == "kappa") == pytest.approx(0)
    assert [(each.studies, each.observed) for each in bins if each.studies] == [
        (1, 1.0),
        (1, 0.0),
        (1, 0.0),
        (1, 1.0),
    ]
    read = {row.studies: row for row in took if row.step == "read" and row.span == "period"}
    assert (read["all"].done, read["all"].open) == (6, 2)
    assert read["all"].p50 == pytest.approx(timedelta(days=3, hours=3).total_seconds())


def test_each_version_is_held_against_the_same_verdicts(database: Database, period: Period) -> None:
    with database.write() as session:
        image = a_scored_image(session, in_madrid(17, 9), probability=0.9, study="1.1")
        a_verdict(session, "1.1", Finding.NO_PNEUMONIA)
        image.state = ImageState.READY
        session.flush()
        score_ready(session, in_madrid(18, 9), {image.id: 0.2}, version="2")
        promote(session, "2", in_madrid(18, 9))
    with database.read() as session:
        rows = verdict_measures(MonitoringData(session), period, CONFIG)
    right = {row.ensemble_version: row.hits for row in rows if row.measure == "specificity"}
    assert right == {"1": 0, "2": 1}


def test_probabilities_are_held_against_verdicts_as_they_are_shown(
    database: Database, period: Period
) -> None:
    with database.write() as session:
        register(session, EnsembleFacts("1", 0.5, "1", prevalence=0.5), NOW)
        a_scored_image(session, in_madrid(17, 9), probability=0.55, study="1.1")
        a_verdict(session, "1.1", Finding.NO_PNEUMONIA)
    with database.read() as session:
        (filled,) = (
            each
            for each in calibration(
                MonitoringData(session), period, replace(CONFIG, prevalence=0.1)
            )
            if each.studies
        )
    assert filled.stated == pytest.approx(0.55 / 0.45 / 9 / (1 + 0.55 / 0.45 / 9))
    assert filled.lower == 0.1


def test_what_each_scanner_sent_is_told_with_its_means(database: Database, period: Period) -> None:
    at = in_madrid(18, 9)
    first = a_header(manufacturer="Kestrel", station_name="WARD", exposure_index=300.0)
    other = replace(first, exposure_index=500.0)
    with database.write() as session:
        for header, grey in ((first, 100.0), (other, 140.0)):
            image = a_scored_image(session, at, probability=0.1, header=header)
            image.median_grey = grey
        an_image(session, at, header=first, refusal=Refused(RefusalCode.ADULT))
        an_image(session, at)
    with database.read() as session:
        ward, unknown = scanners(MonitoringData(session), period)
    assert (ward.scanner, ward.images, ward.refused) == ("Kestrel · WARD", 3, 1)
    assert (ward.median_grey, ward.deviation_index, ward.exposure) == (120.0, None, None)
    assert ward.exposure_index == pytest.approx(1100 / 3)
    assert ward.refused_share == pytest.approx(1 / 3)
    assert (unknown.scanner, unknown.images, unknown.median_grey) == ("unknown scanner", 1, None)
