"""A report of another system: the study was read elsewhere, and that is no verdict."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.lifecycle.events import Cause
from db.lifecycle.ris.reports import take_report
from db.lifecycle.verdicts import VerdictInput
from db.monitoring.load_columns import load_columns
from db.study_conditions import is_read_here, is_unread
from db.tables import Event, Study, Verdict
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order, study_detail
from readfirst.errors import MessageRefused
from readfirst.monitoring.period import Period
from readfirst.ris.values import ImagingReport, ReportStatus
from readfirst.studies.identity import Patient
from tests.support.studies import (
    AS_STORED,
    NOW,
    a_header,
    a_scored_image,
    an_image,
    give_verdict,
    written,
)

HOUR = timedelta(hours=1)
FINAL = ImagingReport(
    accession_number="A1",
    study_instance_uid=None,
    patient=Patient(patient_id="P1"),
    status=ReportStatus.FINAL,
    at=NOW + HOUR,
    by="Ann Reader",
)


def film(session: Session, at: datetime = NOW) -> None:
    header = a_header(accession_number="A1", patient_id="P1")
    an_image(session, at, study="1.1", header=header)


def report(session: Session, came_at: datetime = NOW + 2 * HOUR, **changes: object) -> None:
    with written(session, came_at) as unit:
        take_report(unit, replace(FINAL, **changes))  # type: ignore[arg-type]


def the_study(session: Session) -> Study:
    session.expire_all()
    return session.scalars(select(Study).where(Study.study_instance_uid == "1.1")).one()


def state(session: Session) -> tuple[datetime | None, datetime | None, str | None]:
    study = the_study(session)
    return study.read_at, study.reported_at, study.reported_by


def actions(session: Session) -> list[str]:
    query = select(Event.action).where(Event.cause == Cause.REPORT).order_by(Event.id)
    return list(session.scalars(query))


def test_a_final_report_takes_its_study_from_the_unread_ones(session: Session) -> None:
    film(session)
    for _ in range(2):
        report(session)
    assert state(session) == (NOW + HOUR, NOW + HOUR, "Ann Reader")
    assert session.scalars(select(Study).where(is_unread())).all() == []
    assert session.scalars(select(Study).where(is_read_here())).all() == []
    assert actions(session) == ["reported", "read"]
    detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    assert (detail.study.verdict, detail.study.verdict_count) == (None, 0)
    assert detail.study.reported_by == "Ann Reader"
    assert session.scalar(select(func.count()).select_from(Verdict)) == 0


def test_a_study_is_found_by_its_uid(session: Session) -> None:
    film(session)
    report(session, study_instance_uid="1.1", accession_number=None)
    assert state(session)[0] == NOW + HOUR


def test_a_report_of_no_study_changes_nothing(session: Session) -> None:
    report(session)
    film(session, NOW + 3 * HOUR)
    assert state(session) == (None, None, None)


def test_a_report_of_another_patient_is_refused(session: Session) -> None:
    film(session)
    with pytest.raises(MessageRefused):
        report(session, patient=Patient(patient_id="P2"))
    assert state(session) == (None, None, None)


def test_a_film_that_comes_in_since_makes_the_study_unread(session: Session) -> None:
    film(session)
    report(session)
    film(session, NOW + 3 * HOUR)
    assert state(session) == (None, None, None)
    report(session, NOW + 4 * HOUR)
    assert state(session) == (None, None, None), "it was written before that film"
    report(session, NOW + 5 * HOUR, at=NOW + 4 * HOUR, status=ReportStatus.CORRECTED)
    assert state(session) == (NOW + 4 * HOUR, NOW + 4 * HOUR, "Ann Reader")


def test_a_withdrawn_report_brings_the_study_back(session: Session) -> None:
    film(session)
    report(session)
    for _ in range(2):
        report(session, NOW + 3 * HOUR, status=ReportStatus.WITHDRAWN)
    assert state(session) == (None, None, None)
    assert actions(session) == ["reported", "read", "report_withdrawn", "unread"]


def test_a_corrected_report_keeps_it_read(session: Session) -> None:
    film(session)
    report(session)
    report(session, at=NOW + 2 * HOUR, status=ReportStatus.CORRECTED, by="Bob")
    assert state(session) == (NOW + 2 * HOUR, NOW + 2 * HOUR, "Bob")
    assert actions(session) == ["reported", "read", "reported"]


@pytest.mark.parametrize("verdict_first", [True, False])
def test_a_verdict_stands_whatever_happens_to_the_report(
    session: Session, verdict_first: bool
) -> None:
    film(session)
    at = NOW + (HOUR / 2 if verdict_first else 2 * HOUR)
    if not verdict_first:
        report(session, NOW + HOUR)
    give_verdict(session, "1.1", VerdictInput(), at=at)
    if verdict_first:
        report(session)
    assert state(session)[:2] == (at, NOW + HOUR)
    assert session.scalars(select(Study).where(is_read_here())).all() != []
    report(session, NOW + 3 * HOUR, status=ReportStatus.WITHDRAWN)
    assert state(session) == (at, None, None)


def test_a_reader_who_makes_it_unread_has_the_last_word(session: Session) -> None:
    film(session)
    report(session)
    give_verdict(session, "1.1", VerdictInput(), at=NOW + 2 * HOUR)
    give_verdict(session, "1.1", VerdictInput(withdrawn=True), at=NOW + 3 * HOUR)
    assert state(session) == (None, None, None)


def test_what_the_ai_says_stays_hidden_of_a_study_that_was_read_elsewhere(
    session: Session,
) -> None:
    header = a_header(accession_number="A1", patient_id="P1")
    a_scored_image(session, NOW, probability=0.9, study="1.1", header=header)
    report(session)
    hidden = replace(AS_STORED, hides_ai=True)
    which = WorklistFilter(unread=False, flagged=True)
    assert reading_order(session, limit=9, display=hidden, which=which) == []
    (record,) = reading_order(session, limit=9, display=hidden, which=WorklistFilter(unread=False))
    assert record.ai_hidden


def test_times_of_readers_leave_out_what_was_read_elsewhere(session: Session) -> None:
    film(session)
    report(session)
    period = Period(NOW - HOUR, NOW + HOUR, ZoneInfo("UTC"))
    (seconds,) = load_columns("studies", session, period)["seconds"]
    assert isnan(seconds)
    give_verdict(session, "1.1", VerdictInput(), at=NOW + 2 * HOUR)
    assert load_columns("studies", session, period)["seconds"].tolist() == [7200.0]
