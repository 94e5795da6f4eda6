"""Changes of patients (ADT) as values. Pure."""

from collections.abc import Iterator

from hl7 import Message, Segment

from ingest.hl7.patients import patient_id, patient_of, sex_of
from ingest.hl7.segments import first
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import PatientMerge, PatientUpdate


def patient_update(message: Message) -> PatientUpdate:
    """The patient's data as they are now. Raises MessageRefused for one without an ID."""
    pid = first(message, "PID")
    patient = patient_of(pid)
    if patient.patient_id is None:
        raise MessageRefused(MessageCode.NO_PATIENT_ID, "PID-3")
    return PatientUpdate(patient=patient, patient_sex=sex_of(pid))


def patient_merges(message: Message) -> list[PatientMerge]:
    """The merges of a message, each of a PID and the MRG behind it.

    Raises MessageRefused for one without both IDs, or with the same twice.
    """
    merges = [_merge(pid, mrg) for pid, mrg in _pairs(message)]
    if not merges:
        raise MessageRefused(MessageCode.NO_PATIENT_ID, "MRG")
    return merges


def _pairs(message: Message) -> Iterator[tuple[Segment | None, Segment]]:
    pid: Segment | None = None
    for segment in message:
        if str(segment[0]) == "PID":
            pid = segment
        elif str(segment[0]) == "MRG":
            yield pid, segment


def _merge(pid: Segment | None, mrg: Segment) -> PatientMerge:
    surviving, merged = patient_id(pid, 3), patient_id(mrg, 1)
    if surviving is None or merged is None:
        raise MessageRefused(MessageCode.NO_PATIENT_ID, "PID-3" if surviving is None else "MRG-1")
    if surviving.matches(merged.value, merged.issuer):
        raise MessageRefused(MessageCode.MERGE_WITH_ITSELF)
    return PatientMerge(surviving=surviving, merged=merged)
