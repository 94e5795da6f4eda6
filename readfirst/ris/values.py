"""Messages of a RIS as values: orders, reports, corrections and merges of patients."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readfirst.studies.identity import Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingOrder:
    """An order of an examination, or news of one.

    is_urgent: by the priorities that the site names. priority: as it was sent. A value that the
    message does not say is None.
    """

    accession_number: str
    patient: Patient
    placer_order_number: str | None = None
    filler_order_number: str | None = None
    priority: str | None = None
    is_urgent: bool = False
    is_cancelled: bool = False
    indication: str | None = None
    ward: str | None = None
    requested_procedure: str | None = None


class ReportStatus(StrEnum):
    """The states of a report that change something here."""

    FINAL = "final"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingReport:
    """News of a report that somebody wrote in another system.

    by: who read the study, as the message names them. at: when; None where it says no time. One of
    accession number and Study Instance UID is given.
    """

    accession_number: str | None
    study_instance_uid: str | None
    patient: Patient
    status: ReportStatus
    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientUpdate:
    """The name, birth date and sex that a patient's studies should have."""

    patient: Patient
    patient_sex: str | None = None


@dataclass(frozen=True, slots=True)
class PatientId:
    """A patient ID within its issuer, where one is named."""

    value: str
    issuer: str | None = None

    def matches(self, value: str | None, issuer: str | None) -> bool:
        """Tell whether this is the same ID; an issuer that one does not name is no other one."""
        return value == self.value and len({issuer, self.issuer} - {None}) < 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientMerge:
    """Two IDs are one patient's. surviving: the one that stays in use."""

    surviving: PatientId
    merged: PatientId


Content = ImagingOrder | ImagingReport | PatientUpdate | PatientMerge
