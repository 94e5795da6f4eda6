"""Studies, their images, what came in, and scores."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import SHA256, UID, Base, Leased, partial_index
from db.tables.searching import SEARCHED, search_text
from readfirst.domain import FileKind, ImageState, Urgency
from readfirst.refusals import RefusalCode
from readfirst.studies.marks import Mark


def _as_received(context: Any) -> datetime:
    """A new study has had no file since its first."""
    received_at: datetime = context.get_current_parameters()["received_at"]
    return received_at


def _as_searched(context: Any) -> str:
    """Return the searched text of a new study."""
    return search_text(context.get_current_parameters())


#: Columns of the reading order, and those of the others, each with the id behind it.
READING_ORDER = ("urgency", "reading_key", "id")
#: Unread work, as the indexes say it.
UNREAD = "read_at IS NULL AND prior_since IS NULL"
#: What another threshold may rank anew.
SCORED_UNREAD = "read_at IS NULL AND score_id IS NOT NULL"
SORTED_BY = ("received_at", "study_datetime", "probability", "patient_name")


class Study(Base):
    """The images that a radiologist reads together; ranked by its most suspicious scored image."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(UID, unique=True)
    #: What the files say, where another patient's study had that UID first; then
    #: `study_instance_uid` is one made for this study.
    shared_study_instance_uid: Mapped[str | None] = mapped_column(UID, index=True)
    #: No file brings `study_instance_uid`, so nobody else knows it.
    study_instance_uid_made_here: Mapped[bool] = mapped_column(default=False)
    #: What the files say in its place, and is no UID (PS3.5 9.1); else None.
    invalid_study_instance_uid: Mapped[str | None] = mapped_column(Text)
    patient_id: Mapped[str | None] = mapped_column(Text, index=True)
    issuer_of_patient_id: Mapped[str | None] = mapped_column(Text)
    patient_name: Mapped[str | None] = mapped_column(Text)
    patient_birth_date: Mapped[date | None]
    patient_sex: Mapped[str | None] = mapped_column(Text)
    patient_age: Mapped[str | None] = mapped_column(Text)
    accession_number: Mapped[str | None] = mapped_column(Text, index=True)
    referring_physician_name: Mapped[str | None] = mapped_column(Text)
    institution_name: Mapped[str | None] = mapped_column(Text)
    study_description: Mapped[str | None] = mapped_column(Text)
    #: Of the order: what is to be done and why, and what else is known of the patient.
    requested_procedure_description: Mapped[str | None] = mapped_column(Text)
    reason_for_the_requested_procedure: Mapped[str | None] = mapped_column(Text)
    additional_patient_history: Mapped[str | None] = mapped_column(Text)
    study_datetime: Mapped[datetime | None]
    received_at: Mapped[datetime]
    #: When a file of the study last came in, new or not.
    last_received_at: Mapped[datetime] = mapped_column(default=_as_received)
    #: `Urgency.STAT` or `Urgency.LIVE`: the first column of the reading order.
    urgency: Mapped[int]
    #: Of the most suspicious image; None while nothing of the study is scored.
    probability: Mapped[float | None]
    #: By which it is flagged or not, and its version (`Threshold.version`) of that ensemble and
    #: population.
    threshold: Mapped[float | None]
    threshold_version: Mapped[int | None]
    flagged: Mapped[bool] = mapped_column(default=False)
    ensemble_version: Mapped[str | None] = mapped_column(String(64))
    #: That of its deciding score; None: the ensemble's first.
    population: Mapped[str | None] = mapped_column(String(64))
    #: `readfirst.studies.priority.reading_key`: earliest first, behind STAT.
    reading_key: Mapped[datetime]
    #: The last change of thresholds (`Threshold.change`) that its rank knows.
    threshold_change: Mapped[int] = mapped_column(default=0, server_default="0")
    #: The score that decides it; flag, probability and version are of this one.
    score_id: Mapped[int | None] = mapped_column(ForeignKey("scores.id", use_alter=True))
    #: The `db.lifecycle.events.Cause` of its flag; None if it has none, or an old one.
    flagged_by: Mapped[str | None] = mapped_column(String(16))
    #: The ensemble that was active when the study was ranked last.
    ranked_by: Mapped[str | None] = mapped_column(String(64))
    #: When somebody gave a verdict that still stands, or read it elsewhere; None: unread, or again
    #: so.
    read_at: Mapped[datetime | None]
    #: When somebody read it in another system, as its report says, and who; None: no report stands.
    #: Without a verdict since, `read_at` is the same moment.
    reported_at: Mapped[datetime | None]
    reported_by: Mapped[str | None] = mapped_column(Text)
    #: Since when it is a prior, which came in for comparison and is no unread work; else None.
    prior_since: Mapped[datetime | None]
    #: A person wants it to be read: no rule makes it a prior.
    never_prior: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: What a text is looked for in (`db.tables.searching`).
    search_text: Mapped[str] = mapped_column(Text, default=_as_searched)

    images: Mapped[list["Image"]] = relationship(back_populates="study", order_by="Image.id")
    score: Mapped["Score | None"] = relationship(foreign_keys=score_id, viewonly=True)

    @property
    def stat(self) -> bool:
        """True if the study was ordered as STAT."""
        return self.urgency == Urgency.STAT

    __table_args__ = (
        Index("ix_studies_reading_order", *READING_ORDER),
        partial_index("ix_studies_flagged_order", *READING_ORDER, where="flagged"),
        partial_index("ix_studies_unread_order", *READING_ORDER, where=UNREAD),
        partial_index(
            "ix_studies_unread_flagged_order", *READING_ORDER, where=f"{UNREAD} AND flagged"
        ),
        Index("ix_studies_institution_order", "institution_name", *READING_ORDER),
        *(Index(f"ix_studies_{name}_order", name, "id") for name in SORTED_BY),
        *(
            partial_index(f"ix_studies_unread_{name}_order", name, "id", where=UNREAD)
            for name in SORTED_BY
        ),
        partial_index("ix_studies_prior_order", *READING_ORDER, where="prior_since IS NOT NULL"),
        partial_index("ix_studies_threshold_change", "threshold_change", "id", where=SCORED_UNREAD),
        Index("ix_studies_search_text", "search_text", "id"),
    )


@event.listens_for(Study, "before_update")
def _search_text_follows(_mapper: Any, _connection: Connection, study: Study) -> None:
    study.search_text = search_text({name: getattr(study, name) for name in SEARCHED})


class Image(Leased):
    """A film, from its arrival to its score or refusal."""

    __tablename__ = "images"

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    #: Of the original, under which it is kept in the store.
    sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    kind: Mapped[FileKind | None]
    sop_instance_uid: Mapped[str] = mapped_column(UID)
    series_instance_uid: Mapped[str | None] = mapped_column(UID)
    transfer_syntax_uid: Mapped[str | None] = mapped_column(UID)
    modality: Mapped[str | None] = mapped_column(Text)
    view_position: Mapped[str | None] = mapped_column(Text)
    body_part_examined: Mapped[str | None] = mapped_column(Text)
    acquisition_datetime: Mapped[datetime | None]
    manufacturer: Mapped[str | None] = mapped_column(Text)
    manufacturer_model_name: Mapped[str | None] = mapped_column(Text)
    station_name: Mapped[str | None] = mapped_column(Text)
    #: In mAs, and IEC 62494-1, as the header says them.
    exposure: Mapped[float | None]
    exposure_index: Mapped[float | None]
    deviation_index: Mapped[float | None]
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    state: Mapped[ImageState]
    code: Mapped[RefusalCode | None]
    reason: Mapped[str | None] = mapped_column(Text)
    #: Why its score is not validated, as decided when it came in; none if it is.
    marks: Mapped[tuple[Mark, ...]] = mapped_column(default=())
    urgency: Mapped[int]
    #: Of the model input that is kept; None before there is one.
    preprocessing_version: Mapped[str | None] = mapped_column(String(16))
    #: Of that image, 0 to 255; None for those made before it was measured.
    median_grey: Mapped[float | None]
    #: Share of its pixels that are black or white.
    clipped_share: Mapped[float | None]
    received_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    scored_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    #: When the site's retention let the original go; None while it is kept.
    original_removed_at: Mapped[datetime | None]
    #: Of the attempt that failed last; None once one has succeeded.
    last_error: Mapped[str | None] = mapped_column(Text)

    study: Mapped[Study] = relationship(back_populates="images")
    scores: Mapped[list["Score"]] = relationship(back_populates="image", order_by="Score.id")
    arrivals: Mapped[list["Arrival"]] = relationship(back_populates="image", order_by="Arrival.id")

    __table_args__ = (
        Index("ix_images_work", "state", "urgency", "id"),
        Index("ix_images_refused_at", "refused_at"),
        Index("ix_images_received_at", "received_at"),
        partial_index("ix_images_last_error", "id", where="last_error IS NOT NULL"),
        # One accepted image for each SOP Instance UID; refused ones may share it.
        Index(
            "uq_images_accepted_sop_instance_uid",
            "sop_instance_uid",
            unique=True,
            sqlite_where=text("state != 'refused'"),
            postgresql_where=text("state != 'refused'"),
        ),
    )


class Arrival(Base):
    """A file that came in, new or not. Nothing that arrives goes without a row here."""

    __tablename__ = "arrivals"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Names the arrival before it has a row, so that a crash in between repeats nothing.
    claim_id: Mapped[str] = mapped_column(String(32), unique=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    relative_path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    size: Mapped[int]
    arrived_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(32))

    image: Mapped[Image] = relationship(back_populates="arrivals")


class Score(Base):
    """The answer of one ensemble version on one image. Never changed, never removed."""

    __tablename__ = "scores"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float]
    members: Mapped[dict[str, float]]
    #: By whose calibration it is stated, as the ensemble names it; None: the ensemble's first.
    population: Mapped[str | None] = mapped_column(String(64))
    #: Its film looks unlike those of the validation; None: the ensemble cannot tell.
    unlike: Mapped[bool | None]
    #: The one that was active then, and its version; a study may rank by a later one.
    threshold: Mapped[float]
    threshold_version: Mapped[int] = mapped_column(default=1, server_default="1")
    flagged: Mapped[bool]
    scored_at: Mapped[datetime]
    #: Of its batch, shared out among its images, and their number; None where nobody measured it.
    seconds: Mapped[float | None]
    batch_size: Mapped[int | None]

    image: Mapped[Image] = relationship(back_populates="scores")

    __table_args__ = (
        UniqueConstraint("image_id", "ensemble_version"),
        Index("ix_scores_scored_at", "scored_at"),
    )
