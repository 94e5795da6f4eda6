"""Changes of patients come in: data are corrected, and patients are merged, which can be undone."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from db.access.audit import Actor, AuditAction, note
from db.lifecycle.events import Cause, DomainEvent, EventAction
from db.lifecycle.ranking import settle_priors
from db.lifecycle.unit_of_work import UnitOfWork
from db.ris.merges import merge_of, rows_of_merge
from db.tables import OrderRow, PatientMergeRow, Study
from readfirst.ris.values import PatientMerge, PatientUpdate
from readfirst.studies.identity import Patient, conflict, patient_of

#: The RIS acts, and none of our accounts.
RIS = Actor(None, None)
CORRECTED = ("patient_name", "patient_birth_date", "patient_sex")


def take_update(unit: UnitOfWork, update: PatientUpdate) -> None:
    """Correct name, birth date and sex of the studies and orders of a patient.

    A patient is known by ID and issuer. Where one of both names no issuer, the ID alone is trusted
    as ever: not where name and birth date both differ. What the message does not say stays.
    """
    patient = update.patient
    values = {
        "patient_name": patient.patient_name,
        "patient_birth_date": patient.patient_birth_date,
        "patient_sex": update.patient_sex,
    }
    query = select(OrderRow).where(OrderRow.patient_id == patient.patient_id).with_for_update()
    for order in unit.session.scalars(query):
        if _is_of(order, patient):
            _correct(order, {name: values[name] for name in CORRECTED[:2]})
    studies = [study for study in _locked(unit, patient.patient_id) if _is_of(study, patient)]
    for study in studies:
        fields = _correct(study, values)
        if fields:
            detail = {"fields": fields}
            action, cause = EventAction.PATIENT_CORRECTED, Cause.PATIENT
            unit.add(DomainEvent(action=action, study=study, cause=cause, detail=detail))
            _note(unit, AuditAction.PATIENT_CORRECTED, [study], RIS, {"fields": fields})
    settle_priors(unit, studies, Cause.PATIENT)


def take_merge(unit: UnitOfWork, merge: PatientMerge) -> None:
    """Let two IDs be one patient's, so that their studies are each other's priors.

    Studies keep the ID that their films say. A merge that says the contrary is undone by it.
    """
    if rows_of_merge(unit.session, merge):
        return
    contrary = PatientMerge(surviving=merge.merged, merged=merge.surviving)
    for row in rows_of_merge(unit.session, contrary):
        row.undone_at = unit.at
    row = PatientMergeRow(
        merged_id=merge.merged.value,
        merged_issuer=merge.merged.issuer,
        surviving_id=merge.surviving.value,
        surviving_issuer=merge.surviving.issuer,
        at=unit.at,
    )
    unit.session.add(row)
    unit.session.flush()
    _tell(unit, row, EventAction.PATIENT_MERGED, AuditAction.PATIENTS_MERGED, RIS)


def undo_merge(unit: UnitOfWork, number: int, by: Actor, name: str | None = None) -> bool:
    """Let the two IDs of a merge be two patients' again, and note who did it.

    name: who does it, where `by` has no account. Returns False if no such merge stands.
    """
    row = unit.session.get(PatientMergeRow, number, with_for_update=True)
    if row is None or row.undone_at is not None:
        return False
    row.undone_at, row.undone_by = unit.at, by.account or name
    unit.session.flush()
    _tell(unit, row, EventAction.MERGE_UNDONE, AuditAction.MERGE_UNDONE, by, name)
    return True


def _tell(
    unit: UnitOfWork,
    row: PatientMergeRow,
    action: EventAction,
    audited: AuditAction,
    by: Actor,
    name: str | None = None,
) -> None:
    """Note a change of a merge, and settle the priors of both patients."""
    merge = merge_of(row)
    studies = [
        study
        for each in (merge.merged, merge.surviving)
        for study in _locked(unit, each.value)
        if each.matches(study.patient_id, study.issuer_of_patient_id)
    ]
    detail: dict[str, Any] = {"merge": row.id}
    cause = Cause.PATIENT
    unit.add(
        *(DomainEvent(action=action, study=study, cause=cause, detail=detail) for study in studies)
    )
    _note(unit, audited, studies, by, detail | ({"by": name} if name else {}))
    settle_priors(unit, studies, cause)


def _locked(unit: UnitOfWork, patient_id: str | None) -> list[Study]:
    query = (
        select(Study)
        .where(Study.patient_id == patient_id, Study.images.any())
        .order_by(Study.id)
        .with_for_update(key_share=True)
    )
    return list(unit.session.scalars(query))


def _is_of(row: Study | OrderRow, patient: Patient) -> bool:
    issuer = row.issuer_of_patient_id
    if issuer is not None and patient.issuer_of_patient_id is not None:
        return issuer == patient.issuer_of_patient_id
    return not conflict(patient_of(row), patient)


def _correct(row: Study | OrderRow, values: Mapping[str, object]) -> list[str]:
    """Set what is said otherwise, and return the names of it."""
    fields = [
        name for name, value in values.items() if value is not None and getattr(row, name) != value
    ]
    for name in fields:
        setattr(row, name, values[name])
    return fields


def _note(
    unit: UnitOfWork,
    action: AuditAction,
    studies: list[Study],
    by: Actor,
    detail: Mapping[str, Any],
) -> None:
    uids = [study.study_instance_uid for study in studies]
    note(unit.session, by, action, unit.at, studies=uids, **detail)
