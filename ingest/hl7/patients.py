"""The patient of a message (PID, MRG), in the words of DICOM. Pure."""

from hl7 import Segment

from ingest.hl7.segments import day, repetitions, value
from readfirst.ris.values import PatientId
from readfirst.studies.identity import Patient

#: Types of identifiers that are the patient's at the site (HL7 table 0203), the best first.
ID_TYPES = ("MR", "PI", "PT")
#: Patient's Sex (0010,0040) for HL7 table 0001; of others, DICOM has no word.
SEXES = {"M": "M", "F": "F", "O": "O", "A": "O"}
#: Components of XPN in the order of a DICOM person name (PS3.5 6.2.1.1), which has the prefix
#: before the suffix.
NAME = (1, 2, 3, 5, 4)


def patient_of(pid: Segment | None) -> Patient:
    """The patient that PID names."""
    identity = patient_id(pid, 3)
    return Patient(
        patient_id=identity.value if identity else None,
        issuer_of_patient_id=identity.issuer if identity else None,
        patient_name=_name(pid),
        patient_birth_date=day(value(pid, 7)),
    )


def patient_id(segment: Segment | None, field: int) -> PatientId | None:
    """The ID of a field (CX): of the types that a site gives its patients, or the first.

    The issuer is the namespace of the assigning authority (CX-4.1).
    """
    ids = [
        (_rank(value(segment, field, 5, repetition=number)), number, text)
        for number in range(1, repetitions(segment, field) + 1)
        if (text := value(segment, field, repetition=number)) is not None
    ]
    if not ids:
        return None
    _, number, text = min(ids)
    return PatientId(text, value(segment, field, 4, repetition=number))


def sex_of(pid: Segment | None) -> str | None:
    """The patient's sex as DICOM has it; None where the message does not say it."""
    return SEXES.get((value(pid, 8) or "").upper())


def _rank(kind: str | None) -> int:
    return ID_TYPES.index(kind) if kind in ID_TYPES else len(ID_TYPES)


def _name(pid: Segment | None) -> str | None:
    parts = [value(pid, 5, component) or "" for component in NAME]
    return "^".join(part.replace("^", " ").replace("=", " ") for part in parts).rstrip("^") or None
