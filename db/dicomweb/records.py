"""Studies and images as DICOMweb gives them, free of sessions and tables."""

from dataclasses import dataclass
from datetime import date, datetime

from db.disclosures import OfStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomImage:
    """An image that came in as a DICOM object. original_removed: its file is kept no more."""

    sha256: str
    sop_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str | None
    modality: str | None
    rows: int | None
    columns: int | None
    original_removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomStudy(OfStudy):
    """A study with the images that came in as DICOM objects, in the order in which they came."""

    study_instance_uid: str
    patient_id: str | None
    issuer_of_patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    accession_number: str | None
    referring_physician_name: str | None
    study_description: str | None
    study_datetime: datetime | None
    images: tuple[DicomImage, ...]
