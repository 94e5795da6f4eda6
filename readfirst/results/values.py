"""Values of DICOM results: what they say, of whom, by which algorithm; without any encoding."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from readfirst.results.concepts import Code
from readfirst.studies.marks import Validity, validity

#: RGB of a picture, or the points of an outline: (rows, columns, 3) uint8, and (n, 2) float64.
Picture = npt.NDArray[np.uint8]
Outline = npt.NDArray[np.float64]

#: Attributes by which a film is shown (PS3.3 C.11.1, C.11.2): a presentation state replaces them.
PRESENTATION = (
    "RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence", "WindowCenter",
    "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction", "VOILUTSequence",
    "PhotometricInterpretation", "SamplesPerPixel", "BitsAllocated", "BitsStored",
    "PixelRepresentation", "PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio",
)  # fmt: skip


class ResultKind(StrEnum):
    """The forms in which results are made: DICOM objects, and messages for a RIS."""

    #: Comprehensive SR of the AI's result.
    SR = "sr"
    #: Key Object Selection of the flagged films.
    KOS = "kos"
    #: Secondary Capture of a heat map over its film.
    SC = "sc"
    #: Grayscale Softcopy Presentation State with the outline of the hot region.
    GSPS = "gsps"
    #: Comprehensive SR of a reader's verdict on the AI's result.
    VERDICT = "verdict"
    #: HL7 v2.5.1 ORU^R01 of the AI's result, by a template of the site.
    ORU = "oru"
    #: FHIR R4 transaction of the AI's result.
    FHIR = "fhir"


#: Those that are DICOM objects.
DICOM_KINDS = (
    ResultKind.SR,
    ResultKind.KOS,
    ResultKind.SC,
    ResultKind.GSPS,
    ResultKind.VERDICT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReference:
    """An order that the study was made for (PS3.3 10-9): one item of Referenced Request."""

    requested_procedure_id: str | None = None
    requested_procedure_description: str | None = None
    placer_order_number: str | None = None
    filler_order_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultStudy:
    """The study and the patient that a result belongs to, as the films say them.

    study_datetime: as the clock of the films had it, without a zone. utc_offset: of all times of
    the films, as `+0100`; None if they name none.
    """

    study_instance_uid: str
    study_id: str | None = None
    study_datetime: datetime | None = None
    utc_offset: str | None = None
    accession_number: str | None = None
    study_description: str | None = None
    referring_physician_name: str | None = None
    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    patient_name: str | None = None
    patient_birth_date: date | None = None
    patient_sex: str | None = None
    orders: tuple[OrderReference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceImage:
    """A film that a result refers to."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    rows: int
    columns: int
    #: `L` or `R`; None: not said, or both.
    laterality: str | None = None
    #: Of rows and of columns, as `L`, `F`; empty: not said.
    patient_orientation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """The score of one film.

    probability, threshold: as the page shows them at this site. threshold_version: of the
    thresholds of the ensemble; 1 came with it. marks: the codes and the sentences of why the score
    is not validated, or in doubt; empty: it is neither.
    """

    image: SourceImage
    probability: float
    threshold: float
    threshold_version: int = 1
    flagged: bool
    marks: tuple[tuple[str, str], ...] = ()
    scored_at: datetime

    @property
    def validity(self) -> Validity:
        """The trust that the score deserves, by its marks."""
        return validity([code for code, _ in self.marks])


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """The ensemble that scored. prevalence: that its probabilities are stated for; None: its own.

    manifest_sha256: names its files; None where nobody knows.
    """

    version: str
    prevalence: float | None = None
    manifest_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference:
    """A DICOM object that another one refers to, in the same study."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AiResult:
    """The result of one ensemble version on the films of a study, at the moment of its last score.

    at: as the clock of the films has it, without a zone. finding: the code of what is looked for,
    and others of the same meaning. predecessor: the report that this one takes the place of.
    number: of the version among those that scored the study, from 1.
    """

    study: ResultStudy
    algorithm: Algorithm
    images: tuple[ImageResult, ...]
    at: datetime
    finding: tuple[Code, ...]
    predecessor: ObjectReference | None = None
    number: int = 1

    @property
    def flagged(self) -> tuple[ImageResult, ...]:
        """The films that reach the threshold, the most suspicious first."""
        flagged = (image for image in self.images if image.flagged)
        return tuple(sorted(flagged, key=lambda image: -image.probability))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMapPicture:
    """A heat map of one film.

    painted: the film under its heat, (rows, columns, 3) uint8. outlines: of the hottest regions,
    closed, each (n, 2) float64 of column and row from the film's upper left corner. presentation:
    the attributes by which the film itself is shown, in DICOM's JSON form (PS3.18 F), since a
    presentation state takes the place of them.
    """

    image: SourceImage
    method: str
    painted: Picture
    outlines: tuple[Outline, ...]
    presentation: dict[str, object]


class Assessment(StrEnum):
    """A reader's answer to the AI's result (IHE AIRA)."""

    ACCEPTED = "accepted"
    MODIFIED = "modified"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderVerdict:
    """The verdict of a reader on an AI's result.

    number: of the verdict, among those of the site. present: the reader sees the finding; None:
    uncertain. by: an account; None: not recorded. at: as `AiResult.at`.
    """

    number: int
    at: datetime
    assessment: Assessment
    present: bool | None
    by: str | None
    predecessor: ObjectReference | None = None
