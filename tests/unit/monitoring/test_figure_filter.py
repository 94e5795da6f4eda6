"""Behind every figure stand exactly the studies that it counts."""

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.synthetic_history import Weeks, fill_weeks
from db.access.audit import Actor
from db.ensembles.versions import promote
from db.lifecycle.verdicts import VerdictInput
from db.monitoring.kept_days import MonitoringData
from db.monitoring.scanners import scanners
from db.monitoring.verdicts import calibration, verdict_measures
from db.monitoring.volumes import refusals
from db.scanner_names import UNKNOWN_SCANNER
from db.session import Database
from db.tables import Image, Study
from db.worklist.figure_filter import FigureFilter
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_page
from db.worklist.sorting import Order, Sort
from readfirst.domain import ImageState
from readfirst.errors import Conflict, Refused
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import Period, make_period
from readfirst.refusals import RefusalCode
from readfirst.studies.display import DisplayContext
from readfirst.studies.findings import Finding, VerdictGroup
from tests.support.studies import (
    NOW,
    a_header,
    a_scored_image,
    an_image,
    give_verdict,
    score_ready,
)

CONFIG = MonitoringConfig(
    zone=ZoneInfo("UTC"),
    prevalence=0.05,
    baseline=None,
    drift_notice=0.1,
    drift_alarm=0.25,
    least_films=50,
    least_ppv=0.5,
)
AT_SITE = DisplayContext(prevalence=CONFIG.prevalence, quiet_before=None, overdue=None)
WEEKS = Weeks(first=date(2026, 1, 1), days=30, per_day=12)


def studies(
    session: Session, period: Period, display: DisplayContext = AT_SITE, **which: object
) -> set[str]:
    figure = FigureFilter(**which)  # type: ignore[arg-type]
    page = reading_page(
        session,
        limit=10_000,
        which=WorklistFilter(since=period.start, until=period.end, figure=figure),
        order=Order(Sort.ARRIVAL),
        display=display,
    )
    return {record.study_instance_uid for record in page.studies}


@pytest.fixture
def weeks(database: Database) -> Period:
    """Weeks of a department, whose ensemble presupposes more pneumonia than the site has."""
    fill_weeks(database, WEEKS)
    return make_period(WEEKS.first, date(2026, 1, 30), NOW, CONFIG.zone)


def test_verdicts_and_probabilities_lead_to_their_studies(
    database: Database, weeks: Period
) -> None:
    with database.read() as session:
        measured = verdict_measures(MonitoringData(session), weeks, CONFIG)
        bins = calibration(MonitoringData(session), weeks, CONFIG)
        whole = {row.measure: row for row in measured if row.span == "period"}
        version = whole["ppv"].ensemble_version

        def counted(group: VerdictGroup, probability: tuple[float, float] | None = None) -> int:
            return len(
                studies(session, weeks, agreement=group, ensemble=version, probability=probability)
            )

        groups = {group: counted(group) for group in VerdictGroup}
        for name, right, wrong in (
            ("ppv", VerdictGroup.TRUE_POSITIVE, VerdictGroup.FALSE_POSITIVE),
            ("npv", VerdictGroup.TRUE_NEGATIVE, VerdictGroup.MISSED),
        ):
            row = whole[name]
            assert row.of > 10
            assert (groups[right], groups[right] + groups[wrong]) == (row.hits, row.of)
        assert groups[VerdictGroup.CANNOT_TELL] == whole["cannot_tell"].hits
        assert groups[VerdictGroup.ANY] == whole["cannot_tell"].of == whole["verdicts"].hits
        assert groups[VerdictGroup.BLIND] == whole["blind"].hits
        for each in bins:
            sure = [
                counted(group, probability=(each.lower, each.upper))
                for group in VerdictGroup
                if group not in (VerdictGroup.ANY, VerdictGroup.CANNOT_TELL, VerdictGroup.BLIND)
            ]
            assert sum(sure) == each.studies, each


def test_scanners_and_codes_lead_to_their_studies(database: Database, weeks: Period) -> None:
    with database.read() as session:
        by_scanner = scanners(MonitoringData(session), weeks)
        by_code: Counter[str] = Counter()
        for row in refusals(MonitoringData(session), weeks):
            by_code[row.code] += row.images
        assert len(by_scanner) > 1
        assert by_code
        for record in by_scanner:
            # A study of these weeks has one image.
            assert len(studies(session, weeks, scanner=record.scanner)) == record.images
        for code, images in by_code.items():
            assert len(studies(session, weeks, code=RefusalCode(code))) == images


def test_a_scanner_is_all_that_a_film_says_of_it(database: Database, period: Period) -> None:
    named = {"manufacturer": "A", "manufacturer_model_name": "B", "station_name": "C"}
    with database.write() as session:
        an_image(session, study="1.1", header=a_header(**named))
        an_image(session, study="1.2", header=a_header(**named | {"manufacturer": None}))
        an_image(session, study="1.3", header=a_header(**named | {"station_name": ""}))
        an_image(session, study="1.4")
    whole = make_period(NOW.date(), NOW.date(), NOW, CONFIG.zone)
    with database.read() as session:
        by_name = {
            name: studies(session, whole, scanner=name)
            for name in ("A · B · C", "B · C", "A · B", UNKNOWN_SCANNER, "A")
        }
    assert by_name == {
        "A · B · C": {"1.1"},
        "B · C": {"1.2"},
        "A · B": {"1.3"},
        UNKNOWN_SCANNER: {"1.4"},
        "A": set(),
    }


def test_without_a_version_what_the_ai_said_at_the_verdict_counts(database: Database) -> None:
    by = Actor("anna", None)
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.9, study="1.1")
        give_verdict(session, "1.1", VerdictInput(finding=Finding.NO_PNEUMONIA), by)
        image.state = ImageState.READY
        session.flush()
        score_ready(session, NOW, {image.id: 0.1}, version="2")
        promote(session, "2", NOW)
    today = make_period(NOW.date(), NOW.date(), NOW, CONFIG.zone)
    false_positive, right = VerdictGroup.FALSE_POSITIVE, VerdictGroup.TRUE_NEGATIVE
    with database.read() as session:
        assert studies(session, today, agreement=false_positive) == {"1.1"}
        assert studies(session, today, agreement=false_positive, ensemble="1") == {"1.1"}
        assert studies(session, today, agreement=false_positive, ensemble="2") == set()
        assert studies(session, today, agreement=right, ensemble="2") == {"1.1"}
        assert studies(session, today, agreement=right, ensemble="3") == set()
    with database.write() as session:
        give_verdict(session, "1.1", VerdictInput(finding=None, withdrawn=True), by)
    with database.read() as session:
        assert studies(session, today, agreement=VerdictGroup.ANY) == set()


def test_what_is_hidden_is_not_told_by_a_probability(database: Database) -> None:
    hidden = DisplayContext(prevalence=None, quiet_before=None, overdue=None, hides_ai=True)
    today = make_period(NOW.date(), NOW.date(), NOW, CONFIG.zone)
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9, study="1.1")
    with database.read() as session:
        with pytest.raises(Conflict):
            studies(session, today, hidden, probability=(0.5, 1.0), ensemble="1")
        assert studies(session, today, hidden, agreement=VerdictGroup.TRUE_POSITIVE) == set()


def test_a_file_without_a_film_stands_behind_its_code(database: Database) -> None:
    today = make_period(NOW.date(), NOW.date(), NOW, CONFIG.zone)
    with database.write() as session:
        an_image(session, study="1.1", refusal=Refused(RefusalCode.EMPTY_FILE))
        an_image(session, study="1.2", refusal=Refused(RefusalCode.ADULT))
        assert len(session.scalars(select(Study)).all()) == len(
            session.scalars(select(Image)).all()
        )
    with database.read() as session:
        assert studies(session, today, code=RefusalCode.EMPTY_FILE) == {"1.1"}
        assert studies(session, today, code=RefusalCode.ADULT) == {"1.2"}
