"""The patient of a study, and warnings. Two patients are never taken for one. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from readfirst.domain import uid_from_digest


class WarningCode(StrEnum):
    """What is odd about a study as a whole. Exported, so a code is never renamed."""

    ACCESSION_NUMBER_SHARED = "accession_number_shared"
    STUDY_OF_TWO_PATIENTS = "study_of_two_patients"
    HEADERS_CONTRADICT = "headers_contradict"
    STUDY_UID_MADE_HERE = "study_instance_uid_made_here"


WARNING_SENTENCES: dict[WarningCode, str] = {
    WarningCode.ACCESSION_NUMBER_SHARED: "Another study has the same accession number.",
    WarningCode.STUDY_OF_TWO_PATIENTS: (
        "Images of different patients came under one Study Instance UID and are kept apart; "
        "find out whose they are."
    ),
    WarningCode.HEADERS_CONTRADICT: (
        "A file of this study says otherwise than what is shown; find out what is right."
    ),
    WarningCode.STUDY_UID_MADE_HERE: (
        "The files bring no valid Study Instance UID, so this one was made here; other images of "
        "the same examination may stand in another study."
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
    """The patient, as an image names them."""

    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_name: str | None = None
    patient_birth_date: date | None = None


#: The names of a patient's fields, which columns and headers have too.
PATIENT_FIELDS = tuple(field.name for field in fields(Patient))


class NamesPatient(Protocol):
    """A header, or a row of a study or an order: it names a patient by the same fields."""

    @property
    def patient_id(self) -> str | None:
        """Patient ID (0010,0020)."""

    @property
    def issuer_of_patient_id(self) -> str | None:
        """Issuer of Patient ID (0010,0021)."""

    @property
    def patient_name(self) -> str | None:
        """Patient's Name (0010,0010)."""

    @property
    def patient_birth_date(self) -> date | None:
        """Patient's Birth Date (0010,0030)."""


def patient_of(source: NamesPatient) -> Patient:
    """The patient that a header or a row names."""
    return Patient(
        patient_id=source.patient_id,
        issuer_of_patient_id=source.issuer_of_patient_id,
        patient_name=source.patient_name,
        patient_birth_date=source.patient_birth_date,
    )


def patient_from(values: Iterable[Any]) -> Patient:
    """The patient of values in the order of `PATIENT_FIELDS`."""
    return Patient(**dict(zip(PATIENT_FIELDS, values, strict=True)))


def study_uid_in_place_of(invalid: str, patient: Patient) -> str | None:
    """Make one UID for all studies that bring this invalid one; None if no patient is named.

    Whether the patients are the same is decided by them, as under a valid UID; but images that are
    known by an ID, and those by name and birth date, never come together by such a UID. Nothing of
    the patient is in it.
    """
    if patient.patient_id is not None:
        known_by = "id"
    elif patient.patient_name is not None and patient.patient_birth_date is not None:
        known_by = "name"
    else:
        return None
    digest = hashlib.sha256(f"{known_by}:{invalid}".encode()).hexdigest()
    return uid_from_digest(digest, "study")


def is_same(first: Patient, second: Patient) -> bool:
    """Tell whether both name one patient by the same ID, and nothing speaks against it."""
    is_known = first.patient_id is not None
    return is_known and _same_id(first, second) and not conflict(first, second)


def conflict(first: Patient, second: Patient) -> bool:
    """Tell whether the two cannot be the same patient.

    IDs decide where both are given (PS3.3 C.2.2: within their issuers); a corrected name or a
    corrected birth date then changes nothing, but both at once do. Without an ID on both sides
    either is enough.
    """
    born = _differ(first.patient_birth_date, second.patient_birth_date)
    named = _names_differ(first.patient_name or "", second.patient_name or "")
    if first.patient_id is None or second.patient_id is None:
        return born or named
    return not _same_id(first, second) or (born and named)


def differences(first: Patient, second: Patient) -> tuple[str, ...]:
    """Name what two headers of one patient say differently: name, birth date, or both."""
    named = _names_differ(first.patient_name or "", second.patient_name or "")
    born = _differ(first.patient_birth_date, second.patient_birth_date)
    return ("patient_name",) * named + ("patient_birth_date",) * born


def _same_id(first: Patient, second: Patient) -> bool:
    issuers_differ = _differ(first.issuer_of_patient_id, second.issuer_of_patient_id)
    return first.patient_id == second.patient_id and not issuers_differ


def _differ(first: object, second: object) -> bool:
    return first is not None and second is not None and first != second


def _names_differ(first: str, second: str) -> bool:
    """Tell whether no component group is alike that both names have (PS3.5 6.2.1)."""
    groups = zip(map(_letters, first.split("=")), map(_letters, second.split("=")), strict=False)
    in_both = [pair for pair in groups if all(pair)]
    return bool(in_both) and all(group != other for group, other in in_both)


def _letters(group: str) -> str:
    """Family and given name without case, spaces and punctuation."""
    components = group.casefold().split("^")[:2]
    return "".join(letter for letter in "".join(components) if letter.isalnum())
