"""Patients are corrected and merged by the RIS; a merge changes no study, and can be undone."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, entries
from db.lifecycle.events import Cause
from db.lifecycle.ris.orders import take_order
from db.lifecycle.ris.patients import take_merge, take_update, undo_merge
from db.lifecycle.unit_of_work import UnitOfWork
from db.ris.merges import merge_records
from db.tables import Event, OrderRow, Study
from db.worklist.patients import other_studies
from db.worklist.queries import reading_order
from readfirst.ris.values import ImagingOrder, PatientId, PatientMerge, PatientUpdate
from readfirst.studies.identity import Patient
from tests.support.studies import AS_STORED, NOW, POLICY, a_header, an_image, written

LEAD = Actor("lead", None)
UNKNOWN: dict[str, Any] = {
    "patient_id": "T1",
    "patient_name": "Unknown^Man",
    "patient_birth_date": date(1900, 1, 1),
}
KNOWN: dict[str, Any] = {
    "patient_id": "P1",
    "patient_name": "Ejemplo^Juan",
    "patient_birth_date": date(1980, 1, 1),
}
WITH_PRIORS = replace(POLICY, prior_after=timedelta(days=90))
MERGE = PatientMerge(surviving=PatientId("P1"), merged=PatientId("T1"))


def film(session: Session, study: str, days: int = 0, **header: Any) -> None:
    at = NOW - timedelta(days=days)
    an_image(session, NOW, study=study, header=a_header(study_datetime=at, **header))


def correct(session: Session, sex: str | None = None, **patient: Any) -> None:
    update = PatientUpdate(patient=Patient(**patient), patient_sex=sex)
    with written(session, NOW) as unit:
        take_update(unit, update)


def merge(session: Session, what: PatientMerge = MERGE) -> None:
    with written(session, NOW) as unit:
        take_merge(unit, what)


def undo(session: Session, number: int) -> bool:
    with written(session, NOW) as unit:
        return undo_merge(unit, number, LEAD)


def the_study(session: Session, uid: str) -> Study:
    return session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()


def priors(session: Session, uid: str) -> list[str]:
    return [other.study_instance_uid for other in other_studies(session, uid, display=AS_STORED)]


def counts(session: Session) -> dict[str, int]:
    session.expire_all()
    rows = reading_order(session, limit=10, display=AS_STORED)
    return {row.study_instance_uid: row.prior_count for row in rows}


def audited(session: Session) -> list[str]:
    return [entry.action for entry in reversed(entries(session, limit=10))]


def test_a_correction_reaches_the_studies_of_the_patient_and_no_other(session: Session) -> None:
    film(session, "1.1", patient_sex="M", issuer_of_patient_id="HOSP", **UNKNOWN)
    film(session, "1.2", issuer_of_patient_id="ELSEWHERE", **UNKNOWN)
    name, born = "Ejemplo^Juan", date(1980, 1, 1)
    correct(
        session,
        patient_id="T1",
        issuer_of_patient_id="HOSP",
        patient_name=name,
        patient_birth_date=born,
    )
    study, other = the_study(session, "1.1"), the_study(session, "1.2")
    assert (study.patient_name, study.patient_birth_date, study.patient_sex) == (name, born, "M")
    assert other.patient_name == "Unknown^Man"
    assert [row.patient_name for row in reading_order(session, limit=9, display=AS_STORED)] != []
    (event,) = session.scalars(select(Event).where(Event.cause == Cause.PATIENT))
    assert event.detail == {"fields": ["patient_name", "patient_birth_date"]}
    assert audited(session) == [AuditAction.PATIENT_CORRECTED]
    assert "ejemplo" in study.search_text.lower()


@pytest.mark.parametrize(
    ("changes", "is_corrected"),
    [
        ({"patient_name": "Unknown^Woman"}, True),
        ({"patient_name": "Other^One", "patient_birth_date": date(1980, 1, 1)}, False),
    ],
)
def test_without_an_issuer_name_and_birth_date_must_not_both_differ(
    session: Session, changes: dict[str, Any], is_corrected: bool
) -> None:
    film(session, "1.1", **UNKNOWN)
    correct(session, patient_id="T1", issuer_of_patient_id="HOSP", **changes)
    assert (the_study(session, "1.1").patient_name == changes["patient_name"]) == is_corrected


def test_what_the_message_does_not_say_stays(session: Session) -> None:
    film(session, "1.1", **KNOWN)
    correct(session, "F", patient_id="P1")
    study = the_study(session, "1.1")
    assert (study.patient_name, study.patient_sex) == ("Ejemplo^Juan", "F")
    correct(session, "F", patient_id="P1")
    assert audited(session) == [AuditAction.PATIENT_CORRECTED], "the second time nothing changed"


def test_a_merge_joins_the_histories_and_its_undoing_parts_them(session: Session) -> None:
    film(session, "1.1", days=9, **UNKNOWN)
    film(session, "1.2", **KNOWN)
    assert (priors(session, "1.2"), counts(session)) == ([], {"1.1": 0, "1.2": 0})
    merge(session)
    merge(session)
    assert priors(session, "1.2") == ["1.1"]
    assert priors(session, "1.1") == ["1.2"]
    assert counts(session) == {"1.1": 0, "1.2": 1}
    assert the_study(session, "1.1").patient_id == "T1", "as its films say"
    (record,) = merge_records(session, limit=9)
    assert undo(session, record.number)
    assert not undo(session, record.number)
    assert (priors(session, "1.2"), counts(session)) == ([], {"1.1": 0, "1.2": 0})
    assert audited(session) == [AuditAction.PATIENTS_MERGED, AuditAction.MERGE_UNDONE]
    assert merge_records(session, limit=9)[0].undone_by == "lead"


def test_a_film_that_comes_later_under_the_old_id_is_the_same_patients(session: Session) -> None:
    merge(session)
    film(session, "1.1", days=9, **UNKNOWN)
    film(session, "1.2", **KNOWN)
    assert priors(session, "1.2") == ["1.1"]


def test_merges_lead_on_to_the_id_that_is_left(session: Session) -> None:
    film(session, "1.1", days=9, **UNKNOWN)
    film(session, "1.2", days=5, patient_id="P0")
    film(session, "1.3", **KNOWN)
    merge(session, PatientMerge(surviving=PatientId("P0"), merged=PatientId("T1")))
    merge(session, PatientMerge(surviving=PatientId("P1"), merged=PatientId("P0")))
    assert priors(session, "1.3") == ["1.2", "1.1"]
    assert counts(session) == {"1.1": 0, "1.2": 1, "1.3": 2}


def test_a_merge_that_says_the_contrary_takes_the_place_of_the_first(session: Session) -> None:
    film(session, "1.1", days=9, **UNKNOWN)
    film(session, "1.2", **KNOWN)
    merge(session)
    merge(session, PatientMerge(surviving=MERGE.merged, merged=MERGE.surviving))
    assert [each.undone_at is None for each in merge_records(session, limit=9)] == [True, False]
    assert priors(session, "1.2") == ["1.1"]


def test_another_issuers_patient_of_that_number_is_left_out(session: Session) -> None:
    film(session, "1.1", days=9, issuer_of_patient_id="ELSEWHERE", **UNKNOWN)
    film(session, "1.2", issuer_of_patient_id="HOSP", **KNOWN)
    ids = PatientId("P1", "HOSP"), PatientId("T1", "HOSP")
    merge(session, PatientMerge(surviving=ids[0], merged=ids[1]))
    assert priors(session, "1.2") == []


def test_the_rule_of_priors_follows_a_merge(session: Session) -> None:
    film(session, "1.1", days=9, **UNKNOWN)
    film(session, "1.2", **KNOWN)
    unit = UnitOfWork(session, NOW, WITH_PRIORS)
    take_merge(unit, MERGE)
    unit.write()
    assert the_study(session, "1.1").prior_since is not None
    unit = UnitOfWork(session, NOW, WITH_PRIORS)
    undo_merge(unit, merge_records(session, limit=1)[0].number, LEAD)
    unit.write()
    assert the_study(session, "1.1").prior_since is None


def test_an_order_under_the_new_id_is_that_of_the_film_under_the_old_one(
    session: Session,
) -> None:
    merge(session)
    film(session, "1.1", accession_number="A1", **UNKNOWN)
    order = ImagingOrder(
        accession_number="A1", patient=Patient(patient_id="P1"), priority="S", is_urgent=True
    )
    with written(session, NOW) as unit:
        take_order(unit, order)
    assert the_study(session, "1.1").stat


def test_a_correction_reaches_the_order_too(session: Session) -> None:
    order = ImagingOrder(accession_number="A1", patient=Patient(**UNKNOWN))
    with written(session, NOW) as unit:
        take_order(unit, order)
    correct(session, patient_id="T1", patient_name="Ejemplo^Juan")
    assert session.scalars(select(OrderRow.patient_name)).all() == ["Ejemplo^Juan"]
