"""Whose a study is, and what does not fit together. Two patients are never made one. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class WarningCode(StrEnum):
    """What is odd about a study as a whole. Exported, so a code is never renamed."""

    ACCESSION_NUMBER_SHARED = "accession_number_shared"
    STUDY_OF_TWO_PATIENTS = "study_of_two_patients"


WARNING_SENTENCES: dict[WarningCode, str] = {
    WarningCode.ACCESSION_NUMBER_SHARED: "Another study has the same accession number.",
    WarningCode.STUDY_OF_TWO_PATIENTS: (
        "Images of different patients came under one Study Instance UID and are kept apart; "
        "find out whose they are."
    ),
}


@dataclass(frozen=True, slots=True)
class StudyWarning:
    """Something odd about a study. others: Study Instance UIDs that share it, some of many."""

    code: WarningCode
    reason: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What an image says of whose it is."""

    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_name: str | None = None
    patient_birth_date: date | None = None


def is_same(one: Patient, other: Patient) -> bool:
    """Whether both name one patient by the same ID, and nothing speaks against it."""
    return one.patient_id is not None and _same_id(one, other) and not conflict(one, other)


def conflict(one: Patient, other: Patient) -> bool:
    """Whether the two cannot be one patient.

    IDs decide where both are given (PS3.3 C.2.2: within their issuers); a corrected name or a
    corrected birth date then changes nothing, but both at once do. Without an ID on both sides
    either is enough.
    """
    born = _differ(one.patient_birth_date, other.patient_birth_date)
    named = _names_differ(one.patient_name or "", other.patient_name or "")
    if one.patient_id is None or other.patient_id is None:
        return born or named
    return not _same_id(one, other) or (born and named)


def _same_id(one: Patient, other: Patient) -> bool:
    issuers_differ = _differ(one.issuer_of_patient_id, other.issuer_of_patient_id)
    return one.patient_id == other.patient_id and not issuers_differ


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _names_differ(one: str, other: str) -> bool:
    """Whether no component group is alike that both names have (PS3.5 6.2.1)."""
    groups = [
        (first, second)
        for first, second in zip(
            map(_letters, one.split("=")), map(_letters, other.split("=")), strict=False
        )
        if first and second
    ]
    return bool(groups) and all(first != second for first, second in groups)


def _letters(group: str) -> str:
    """Family and given name without case, spaces and punctuation."""
    components = group.casefold().split("^")[:2]
    return "".join(one for one in "".join(components) if one.isalnum())
