"""Read models: the frozen records that queries return, free of sessions and tables."""

from dataclasses import dataclass
from datetime import date, datetime

from db.disclosures import OfFile, OfStudy
from db.ris.orders import OrderRecord
from readfirst.domain import ImageState
from readfirst.studies.findings import Agreement, Finding
from readfirst.studies.identity import StudyWarning
from readfirst.studies.marks import Mark, Validity, validity_of
from readfirst.studies.priority import PriorityReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image of a study, as it stands now."""

    sha256: str
    sop_instance_uid: str
    #: The file brings no valid one: it was made from the content.
    sop_instance_uid_made_here: bool
    file_name: str
    kind: str | None
    modality: str | None
    view_position: str | None
    body_part_examined: str | None
    state: ImageState
    code: str | None
    reason: str | None
    #: Why its score is not validated, or in doubt; empty if it is neither, or if there is none.
    marks: tuple[Mark, ...]
    acquisition_datetime: datetime | None
    received_at: datetime
    ready_at: datetime | None
    scored_at: datetime | None
    refused_at: datetime | None
    #: When the site's retention removed the original; None while it is kept.
    original_removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRecord(OfStudy):
    """What somebody said of a study, and what the AI said of it at that moment."""

    #: Grows with each verdict of any study.
    number: int
    study_instance_uid: str
    at: datetime
    #: An account; at the command line the system's user name; None where nobody has to log in.
    by: str | None
    #: None: read without an opinion, or withdrawn.
    finding: Finding | None
    #: None where there is nothing to compare.
    agreement: Agreement | None
    #: The study was put back among the unread ones.
    withdrawn: bool
    #: It is the latest of its study, and not withdrawn.
    stands: bool
    comment: str | None
    #: What the AI said; all None if it had not scored the study.
    ensemble_version: str | None
    probability: float | None
    threshold: float | None
    #: Its version, of that ensemble's; 1 came with the ensemble.
    threshold_version: int | None
    flagged: bool | None
    #: The AI's result was hidden from the reader until this verdict.
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord(OfStudy):
    """One row of the worklist."""

    #: Short, for people at this site: another site gives it to another study.
    number: int
    study_instance_uid: str
    #: The UID in the files, where another patient's study has it too; else None.
    shared_study_instance_uid: str | None
    #: No file brings the UID: it was made here, and no PACS has it.
    study_instance_uid_made_here: bool
    #: What the files say in its place, which is no UID; else None.
    invalid_study_instance_uid: str | None
    patient_id: str | None
    issuer_of_patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    patient_age: str | None
    accession_number: str | None
    referring_physician_name: str | None
    institution_name: str | None
    study_description: str | None
    requested_procedure_description: str | None
    #: The indication: why the order was given.
    reason_for_the_requested_procedure: str | None
    additional_patient_history: str | None
    #: As the RIS sent it; None without one. It fills in for what the files do not say.
    order: OrderRecord | None
    #: Earlier studies of the same patient that are here.
    prior_count: int
    study_datetime: datetime | None
    #: Of the first image that was taken.
    acquisition_datetime: datetime | None
    received_at: datetime
    #: When a file of the study last came in, new or not.
    last_received_at: datetime
    #: Nothing of it is in work, and it has been quiet for a while. It ranks by what is there.
    complete: bool
    stat: bool
    flagged: bool
    #: Of the most suspicious image; None while none is scored. Never to be read as low risk.
    probability: float | None
    threshold: float | None
    #: Its version, of that ensemble's; 1 came with the ensemble.
    threshold_version: int | None
    #: What each network says of that image; empty while none is scored.
    members: dict[str, float]
    ensemble_version: str | None
    #: By whose calibration and threshold it is stated, where that is not the ensemble's first.
    population: str | None
    standing: PriorityReason
    why: str
    #: Why its score is not validated, or in doubt: the marks of all its images, each code once.
    marks: tuple[Mark, ...]
    warnings: tuple[StudyWarning, ...]
    #: When it was read; None: unread, or an image came in since.
    read_at: datetime | None
    #: When it was read in another system, as its report says, and who; None: no report stands.
    reported_at: datetime | None
    reported_by: str | None
    #: It came in for comparison, and is no unread work.
    prior: bool
    #: The one that stands.
    verdict: VerdictRecord | None
    #: How many were ever given, withdrawn ones too.
    verdict_count: int
    images: tuple[ImageRecord, ...]
    #: The digest of the image that it ranks by; None while none is scored.
    deciding_image: str | None
    #: The AI's result is kept from the reader until a verdict is given: then `flagged` is false,
    #: and probability, threshold, members, version and deciding image are left out.
    ai_hidden: bool = False

    @property
    def validity(self) -> Validity:
        """The trust that its score deserves, by its marks; none is doubted that is not there."""
        return validity_of(self.marks if self.probability is not None else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """One score of one image, by one ensemble version."""

    sha256: str
    ensemble_version: str
    #: By whose calibration and threshold it is stated; None: the ensemble's first.
    population: str | None
    probability: float
    #: By which it counts in its study; of another ensemble's, the one of when it was given.
    threshold: float
    threshold_version: int
    flagged: bool
    members: dict[str, float]
    #: How far the members disagree: from the least to the most suspicious of them.
    spread: float
    #: The film looks unlike those of the validation; None: the ensemble cannot tell.
    unlike: bool | None
    #: What the score says against itself; besides those of its image.
    marks: tuple[Mark, ...]
    scored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """Something that happened to a study."""

    at: datetime
    action: str
    #: Why, as `live` or `rescore` (`db.lifecycle.events.Cause`); None for old events.
    cause: str | None
    sha256: str | None
    detail: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDetail:
    """All that is known of one study."""

    study: StudyRecord
    #: The earliest first; the last one stands unless it is withdrawn.
    verdicts: tuple[VerdictRecord, ...]
    scores: tuple[ScoreRecord, ...]
    events: tuple[EventRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord(OfStudy):
    """An image that was not scored, and why."""

    image_id: int
    study_instance_uid: str
    sha256: str
    file_name: str
    code: str
    reason: str
    refused_at: datetime
    #: When the site's retention removed the original; None while it is kept.
    original_removed_at: datetime | None
    #: As the file says it; None where it names nobody.
    patient_name: str | None
    #: When its small film was made; None where it has none.
    ready_at: datetime | None
    #: When its study was read, or dismissed; None: it is unread.
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalRecord(OfFile):
    """An image whose original somebody asks for."""

    image_id: int
    sha256: str
    state: ImageState
    file_name: str
    original_removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDetail(OfStudy):
    """One image, its place and its size."""

    study_instance_uid: str
    image: ImageRecord
    rows: int | None
    columns: int | None
    transfer_syntax_uid: str | None
    #: Of the model input; None while there is none.
    preprocessing_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallFilm(OfStudy):
    """An image of which the small film is shown."""

    study_instance_uid: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of studies, of flagged ones, and of images by state."""

    studies: int
    flagged: int
    images: dict[ImageState, int]
