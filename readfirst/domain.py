"""Types that all parts share: states, urgencies, kinds of files, headers and scores."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

#: Stands for the first population of an ensemble where populations are named.
FIRST_POPULATION = "all"


class ImageState(StrEnum):
    """received → ready → scored, or refused, which ends until a person has it tried again."""

    RECEIVED = "received"
    READY = "ready"
    SCORED = "scored"
    REFUSED = "refused"


class Urgency(IntEnum):
    """The order in which waiting images are worked on; the lowest number first."""

    STAT = 0
    LIVE = 1
    RESCORE = 2


class FileKind(StrEnum):
    """The kinds of files, by content."""

    DICOM = "dicom"
    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"
    BMP = "bmp"
    WEBP = "webp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a file. DICOM attributes bear their keywords in snake case.

    Pictures fill `kind`, `rows`, `columns` and `number_of_frames` only.
    """

    kind: FileKind
    rows: int
    columns: int
    transfer_syntax_uid: str | None = None
    sop_class_uid: str | None = None
    sop_instance_uid: str | None = None
    series_instance_uid: str | None = None
    study_instance_uid: str | None = None
    #: What stands where the Study Instance UID should and is none (PS3.5 9.1); else None.
    invalid_study_instance_uid: str | None = None
    #: Of several values, here and of the three below, all, with backslashes between them.
    modality: str | None = None
    #: View Position, or the meaning of the View Code.
    view_position: str | None = None
    #: Body Part Examined, or the meaning of the Anatomic Region.
    body_part_examined: str | None = None
    #: Image Laterality, or Laterality.
    laterality: str | None = None
    presentation_intent_type: str | None = None
    image_type: tuple[str, ...] = ()
    burned_in_annotation: str | None = None
    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_name: str | None = None
    patient_birth_date: date | None = None
    patient_sex: str | None = None
    #: As `004Y`, `011M`, `003W` or `009D`.
    patient_age: str | None = None
    #: The file gives the age without a unit; it was taken as years.
    patient_age_without_unit: bool = False
    accession_number: str | None = None
    referring_physician_name: str | None = None
    institution_name: str | None = None
    study_description: str | None = None
    #: Of the order: what is to be done and why, and what else is known of the patient.
    requested_procedure_description: str | None = None
    reason_for_the_requested_procedure: str | None = None
    additional_patient_history: str | None = None
    #: With the zone that the file names; naive where it names none.
    study_datetime: datetime | None = None
    acquisition_datetime: datetime | None = None
    number_of_frames: int = 1
    manufacturer: str | None = None
    manufacturer_model_name: str | None = None
    station_name: str | None = None
    #: In mAs.
    exposure: float | None = None
    #: IEC 62494-1: what the detector received, and by how far that misses its target.
    exposure_index: float | None = None
    deviation_index: float | None = None
    #: The order's priority is STAT or HIGH.
    stat: bool = False
    #: The pixels end in zeros, as those of a file of which the rest was never written.
    may_be_cut: bool = False


@dataclass(frozen=True, slots=True)
class Ages:
    """The ages of a population in completed years, both included: `Ages(1, 5)` ends on the sixth
    birthday.
    """

    from_years: int
    to_years: int


@dataclass(frozen=True, slots=True)
class AgeAndView:
    """The two properties of a film that decide its population; None where nobody knows them.

    years: the patient's age in completed years. view: View Position, as the header says it.
    """

    years: int | None = None
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """The brightness of a model input.

    median_grey: 0 to 255. clipped_share: of its pixels that are black or white, 0 to 1.
    """

    median_grey: float
    clipped_share: float


@dataclass(frozen=True, slots=True)
class ImageScore:
    """The answer of an ensemble on an image: the probability of pneumonia, 0 to 1."""

    probability: float
    #: The probability by each network.
    members: dict[str, float]
    #: The film looks unlike those that the networks were validated on; None: they cannot tell.
    unlike: bool | None = None
    #: The population by whose calibration it is stated; None: the ensemble's first.
    population: str | None = None

    @property
    def spread(self) -> float:
        """The distance from the least to the most suspicious network."""
        return spread(self.members)


def spread(members: Mapping[str, float]) -> float:
    """Return the distance of the members' probabilities, 0 to 1; 0 for one member or none."""
    return max(members.values(), default=0.0) - min(members.values(), default=0.0)


def uid_from_digest(sha256: str, role: str) -> str:
    """A DICOM UID for content that brings none, always the same for the same content.

    sha256: the content's digest in hexadecimal. role: `study`, `series` or `instance`.
    PS3.5 B.2: `2.25.` and a UUID as a decimal number; a name-based UUID (RFC 9562, version 8).
    """
    digest = bytearray(hashlib.sha256(f"readfirst:{role}:{sha256}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest)}"
