"""Priors: earlier studies, which come in for comparison and are not to be read."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, entries
from db.lifecycle.arrivals import add_copy
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.verdicts import VerdictInput, read_anyway
from db.tables import Event, Image, OutboxMessage, Study
from db.worklist.adjacent_studies import most_urgent_unread
from db.worklist.counts import worklist_counts
from db.worklist.filters import WorklistFilter
from db.worklist.patients import other_studies
from db.worklist.queries import reading_order
from readfirst.studies.display import DisplayContext
from readfirst.studies.findings import Finding
from readfirst.studies.priority import Overdue
from readfirst.studies.priors import PriorReason, StudyDates, prior_reason
from tests.support.studies import (
    AS_STORED,
    NOW,
    POLICY,
    a_copy_of,
    a_header,
    a_scored_image,
    give_verdict,
)

DAY = timedelta(days=1)
AFTER = 90 * DAY
SITE = replace(POLICY, webhook=True, prior_after=AFTER)
OFF = replace(POLICY, prior_after=None)
HIGH = 0.9
NEW, OLD = "1.1", "1.2"
READER = Actor("anna", None)


def dates(age: timedelta | None, **values: Any) -> StudyDates:
    return StudyDates(taken_at=None if age is None else NOW - age, received_at=NOW, **values)


@pytest.mark.parametrize(
    ("age", "newer", "reason"),
    [
        (AFTER, False, PriorReason.OLD),
        (AFTER - timedelta(seconds=1), False, None),
        (21 * DAY, True, PriorReason.NEWER_STUDY),
        (21 * DAY, False, None),
        (DAY, True, PriorReason.NEWER_STUDY),
        # Films of intensive care follow one another, and each is to be read.
        (DAY - timedelta(seconds=1), True, None),
        (timedelta(0), True, None),
        (-2 * DAY, True, None),
        (None, True, None),
    ],
)
def test_the_rule(age: timedelta | None, newer: bool, reason: PriorReason | None) -> None:
    others = [dates(timedelta(0) if age is None or age > DAY else -DAY / 2)] if newer else []
    assert prior_reason(dates(age), others, AFTER) is reason


def test_a_date_that_cannot_be_true_decides_nothing() -> None:
    before_birth = dates(400 * DAY, birth_date=(NOW - 30 * DAY).date())
    assert prior_reason(before_birth, [], AFTER) is None
    in_the_future = dates(-365 * DAY)
    assert prior_reason(dates(21 * DAY), [in_the_future], AFTER) is None
    assert prior_reason(dates(21 * DAY), [dates(None)], AFTER) is None
    assert prior_reason(dates(21 * DAY), [dates(22 * DAY)], AFTER) is None


def unit_of(session: Session, at: datetime = NOW, policy: Any = SITE) -> UnitOfWork:
    return UnitOfWork(session, at, policy)


def comes_in(
    session: Session,
    study: str,
    age: timedelta | None,
    *,
    at: datetime = NOW,
    policy: Any = SITE,
    stat: bool = False,
    probability: float = HIGH,
    **values: Any,
) -> Image:
    """A film of patient P1 comes in, and is scored."""
    taken_at = None if age is None else at - age
    header = a_header(
        **{"patient_id": "P1", "study_datetime": taken_at, "modality": "DX", "stat": stat} | values
    )
    unit = unit_of(session, at, policy)
    image = a_scored_image(unit, at, probability=probability, study=study, header=header)
    unit.write()
    return image


def study_of(session: Session, uid: str) -> Study:
    return session.scalars(select(Study).filter_by(study_instance_uid=uid)).one()


def is_prior(session: Session, uid: str = OLD) -> bool:
    return study_of(session, uid).prior_since is not None


def events(session: Session, uid: str, *actions: str) -> list[tuple[str, str | None, Any]]:
    query = select(Event).join(Study).where(Study.study_instance_uid == uid).order_by(Event.id)
    return [
        (event.action, event.cause, event.detail)
        for event in session.scalars(query)
        if event.action in actions
    ]


def unread(session: Session) -> list[str]:
    rows = reading_order(session, limit=9, display=AS_STORED, which=WorklistFilter(unread=True))
    return [row.study_instance_uid for row in rows]


def test_an_old_study_is_scored_and_is_no_work(session: Session) -> None:
    comes_in(session, NEW, timedelta(0), probability=0.1)
    comes_in(session, OLD, 400 * DAY)
    prior = study_of(session, OLD)
    assert (prior.flagged, prior.probability, prior.prior_since) == (True, HIGH, NOW)
    assert events(session, OLD, "prior") == [("prior", "live", {"reason": "old"})]
    assert unread(session) == [NEW]
    counts = worklist_counts(session)
    assert (counts.unread, counts.flagged, counts.stat) == (1, 0, 0)
    assert most_urgent_unread(session) == NEW
    assert most_urgent_unread(session, but=NEW) is None
    assert [(other.study_instance_uid, other.prior) for other in of_patient(session)] == [
        (OLD, True)
    ]


def of_patient(session: Session) -> list[Any]:
    return other_studies(session, NEW, display=AS_STORED)


def test_it_is_listed_with_all_studies_and_by_itself(session: Session) -> None:
    comes_in(session, NEW, timedelta(0), probability=0.1)
    comes_in(session, OLD, 400 * DAY)

    def listed(**which: Any) -> list[str]:
        rows = reading_order(session, limit=9, display=AS_STORED, which=WorklistFilter(**which))
        return [row.study_instance_uid for row in rows]

    assert listed() == [OLD, NEW]
    assert listed(prior=True) == [OLD]
    assert listed(prior=False) == [NEW]
    assert listed(unread=False) == []


def test_nobody_is_alerted_to_a_prior(session: Session) -> None:
    comes_in(session, OLD, 400 * DAY)
    assert [detail["alert"] for _, _, detail in events(session, OLD, "flagged")] == [False]
    assert session.scalars(select(OutboxMessage)).all() == []
    comes_in(session, NEW, timedelta(0))
    assert [detail["alert"] for _, _, detail in events(session, NEW, "flagged")] == [True]
    assert len(session.scalars(select(OutboxMessage)).all()) == 1


def test_a_newer_study_makes_an_unread_older_one_a_prior(session: Session) -> None:
    comes_in(session, OLD, 21 * DAY)
    assert unread(session) == [OLD]
    comes_in(session, NEW, timedelta(0), probability=0.1)
    assert unread(session) == [NEW]
    assert events(session, OLD, "prior") == [("prior", "live", {"reason": "newer_study"})]


def test_so_it_is_in_whatever_order_they_come(session: Session) -> None:
    comes_in(session, NEW, timedelta(0), probability=0.1)
    comes_in(session, OLD, 21 * DAY)
    assert unread(session) == [NEW]


def test_films_that_come_in_as_they_are_taken_are_all_read(session: Session) -> None:
    comes_in(session, OLD, timedelta(hours=1))
    comes_in(session, NEW, timedelta(0), at=NOW + timedelta(hours=6))
    assert sorted(unread(session)) == [NEW, OLD]


@pytest.mark.parametrize(
    "values",
    [
        {"patient_id": "P2"},
        {"patient_id": None},
        {"issuer_of_patient_id": "B"},
        {"patient_name": "Weber^Max", "patient_birth_date": date(2022, 2, 2)},
    ],
)
def test_another_patient_s_study_makes_no_prior(session: Session, values: dict[str, Any]) -> None:
    whose: dict[str, Any] = {
        "issuer_of_patient_id": "A",
        "patient_name": "Díaz^Lucía",
        "patient_birth_date": date(2021, 1, 1),
    }
    comes_in(session, OLD, 21 * DAY, **whose)
    comes_in(session, NEW, timedelta(0), **whose | values)
    assert not is_prior(session)


def test_without_a_study_date_no_study_is_one(session: Session) -> None:
    comes_in(session, OLD, None)
    comes_in(session, NEW, timedelta(0))
    assert not is_prior(session)


def test_a_site_may_do_without_priors(session: Session) -> None:
    comes_in(session, OLD, 400 * DAY, policy=OFF)
    comes_in(session, NEW, timedelta(0), policy=OFF)
    assert sorted(unread(session)) == [NEW, OLD]


def test_what_is_read_already_stays_read(session: Session) -> None:
    comes_in(session, OLD, 21 * DAY)
    say(session, VerdictInput(finding=Finding.PNEUMONIA))
    comes_in(session, NEW, timedelta(0))
    assert not is_prior(session)
    say(session, VerdictInput(withdrawn=True))
    assert OLD in unread(session), "a reader wants it to be read"


def say(session: Session, verdict: VerdictInput, uid: str = OLD) -> None:
    unit = unit_of(session)
    give_verdict(unit, uid, verdict)
    unit.write()


def test_a_verdict_on_a_prior_counts_and_can_be_taken_back(session: Session) -> None:
    comes_in(session, OLD, 400 * DAY)
    say(session, VerdictInput(finding=Finding.PNEUMONIA))
    assert study_of(session, OLD).read_at == NOW
    say(session, VerdictInput(withdrawn=True))
    assert is_prior(session)
    assert unread(session) == []


def test_stat_is_never_a_prior(session: Session) -> None:
    comes_in(session, OLD, 400 * DAY, stat=True)
    comes_in(session, NEW, timedelta(0))
    assert unread(session)[0] == OLD


def test_a_prior_that_is_raised_to_stat_is_to_be_read(session: Session) -> None:
    image = comes_in(session, OLD, 400 * DAY)
    unit = unit_of(session)
    add_copy(unit, a_copy_of(image, NOW, stat=True), image)
    unit.write()
    assert unread(session) == [OLD]
    assert events(session, OLD, "no_prior") == [("no_prior", "live", {})]


def test_a_reader_takes_it_back_for_good(session: Session) -> None:
    comes_in(session, OLD, 400 * DAY)
    unit = unit_of(session)
    assert read_anyway(unit, OLD, READER) is True
    assert read_anyway(unit, OLD, READER) is False
    assert read_anyway(unit, "9.9", READER) is None
    unit.write()
    comes_in(session, NEW, timedelta(0), probability=0.1)
    assert unread(session) == [OLD, NEW]
    assert events(session, OLD, "no_prior") == [("no_prior", "reader", {})]
    noted = [entry for entry in entries(session, limit=9) if entry.account == "anna"]
    assert [entry.action for entry in noted] == [AuditAction.PRIOR_READ_ANYWAY]


def test_a_prior_is_not_overdue(session: Session) -> None:
    comes_in(session, OLD, 400 * DAY, probability=0.1)
    hour = timedelta(hours=1)
    display = DisplayContext(prevalence=None, quiet_before=None, overdue=Overdue(NOW + hour, hour))
    (row,) = reading_order(session, limit=9, display=display)
    assert row.prior
    assert row.why == "Prior, for comparison. AI 10 % (threshold 50 %)."


def test_a_new_image_of_a_read_study_is_decided_anew(session: Session) -> None:
    comes_in(session, OLD, 21 * DAY)
    say(session, VerdictInput(finding=Finding.PNEUMONIA))
    comes_in(session, NEW, timedelta(0))
    comes_in(session, OLD, 21 * DAY)
    assert study_of(session, OLD).read_at is None
    assert is_prior(session)
