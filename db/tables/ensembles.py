"""The ensembles that a site knows, their thresholds, work in shadow, and nights of re-scoring."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, Leased, text_enum
from readfirst.domain import FIRST_POPULATION
from readfirst.ensemble_states import EnsembleState
from readfirst.nights.reasons import NightEnd
from readfirst.statistics.threshold_methods import ThresholdMethod

METHOD = text_enum(ThresholdMethod)
#: The population of every film that belongs to no other one of the ensemble.
EVERYBODY = FIRST_POPULATION
END = text_enum(NightEnd)
RUNNING, PLANNED = text("running"), text("planned")

WAITING = text("given_up_at IS NULL")


class EnsembleVersion(Base):
    """An ensemble version that has been, or is, in use at this site."""

    __tablename__ = "ensembles"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: That of its manifest. The site may have chosen another one: see `Threshold`.
    threshold: Mapped[float]
    preprocessing_version: Mapped[str] = mapped_column(String(16))
    prevalence: Mapped[float | None]
    #: How scores and exposure are distributed on its held-out patients, as its folder says.
    reference: Mapped[dict[str, Any] | None]
    registered_at: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=False)
    activated_at: Mapped[datetime | None]
    #: It scored before, or is not to score: since then. Never of the active one.
    retired_at: Mapped[datetime | None]
    #: Names its files in the store, for the other machines of the site; None where they were laid
    #: into the folders by hand, or came with ReadFirst.
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))

    #: It scores in shadow: since then. Never of the active one.
    shadow_since: Mapped[datetime | None]
    #: Images of a lower number have not been queued for it yet; None: none is left.
    shadow_queues_below: Mapped[int | None]
    #: Why it scores nothing in shadow, as a sentence; not tried again before that moment.
    shadow_error: Mapped[str | None] = mapped_column(Text)
    shadow_paused_until: Mapped[datetime | None]

    @property
    def state(self) -> EnsembleState:
        """The state that its other columns say."""
        if self.active:
            return EnsembleState.ACTIVE
        if self.shadow_since is not None:
            return EnsembleState.SHADOW
        return EnsembleState.CANDIDATE if self.retired_at is None else EnsembleState.RETIRED

    __table_args__ = (
        # At most one is active.
        Index(
            "uq_ensembles_active",
            "active",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )


class Threshold(Base):
    """A threshold of an ensemble's probabilities. Never changed but for its being active."""

    __tablename__ = "thresholds"

    id: Mapped[int] = mapped_column(primary_key=True)
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    population: Mapped[str] = mapped_column(String(64), default=EVERYBODY)
    #: 1 is that of the manifest; each later one of the ensemble and population has the next number.
    version: Mapped[int]
    #: Probability, as the ensemble gives it, at or above which an image is flagged.
    value: Mapped[float]
    method: Mapped[ThresholdMethod] = mapped_column(METHOD)
    #: What was asked for, and what it was expected to change, as numbers.
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Who chose it: an account, or the user of the machine; None for that of the manifest.
    chosen_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    active: Mapped[bool] = mapped_column(default=False)
    activated_at: Mapped[datetime | None]
    #: The number of the change that made it active last, of all changes at the site; 0: it came so.
    change: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        UniqueConstraint("ensemble_version", "population", "version"),
        # At most one of an ensemble and a population is active.
        Index(
            "uq_thresholds_active",
            "ensemble_version",
            "population",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )


class ShadowImage(Leased):
    """An image that an ensemble in shadow is to score; its row goes with the score.

    One that is given up stays, so that nobody tries again, and those who compare can count it.
    """

    __tablename__ = "shadow_images"

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    ensemble_version: Mapped[str] = mapped_column(String(64), ForeignKey("ensembles.version"))
    #: The networks are loaded for it from then on; once they are, it need not be due.
    due_at: Mapped[datetime]
    given_up_at: Mapped[datetime | None]
    #: Why it is given up, as a sentence.
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("image_id", "ensemble_version"),
        Index(
            "ix_shadow_images_waiting",
            "ensemble_version",
            "image_id",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
    )


class Acceptance(Base):
    """A report of an ensemble's figures at the site. Signed once, by a lead; else never changed."""

    __tablename__ = "acceptances"

    id: Mapped[int] = mapped_column(primary_key=True)
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"), index=True)
    threshold_version: Mapped[int]
    made_at: Mapped[datetime]
    #: An account, or the user of the machine.
    made_by: Mapped[str | None] = mapped_column(Text)
    #: A `readfirst.statistics.acceptance.AcceptanceReport` as JSON: sums, and nothing of a patient.
    report: Mapped[dict[str, Any]]
    #: The account that signed it; None: nobody has.
    signed_by: Mapped[str | None] = mapped_column(String(64))
    signed_at: Mapped[datetime | None]


class Night(Base):
    """A night's work, or what a person wanted to be scored again now; at most one runs."""

    __tablename__ = "nights"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: On which it began, by the site's clocks.
    day: Mapped[date]
    #: By the site's hour; else by a person.
    planned: Mapped[bool]
    #: Until all that was given to the workers is done.
    running: Mapped[bool] = mapped_column(default=True)
    ensemble_version: Mapped[str] = mapped_column(ForeignKey("ensembles.version"))
    started_at: Mapped[datetime]
    #: No more is given to the workers from then on; None: until nothing is left.
    ends_by: Mapped[datetime | None]
    films_an_hour: Mapped[int | None]
    #: Its rate is used up until then.
    paced_until: Mapped[datetime]
    #: The studies that the ensemble has scored already rank by it.
    ranked: Mapped[bool] = mapped_column(default=False)
    #: The image that was given to the workers last: older ones follow. None: from the newest on.
    reached_image: Mapped[int | None]
    #: Why no more is given to the workers; None while more may be.
    closed_because: Mapped[NightEnd | None] = mapped_column(END)
    #: When it last gave something to the workers, or they did it.
    moved_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: Images: given to the workers, scored, and refused instead.
    queued: Mapped[int] = mapped_column(default=0)
    scored: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    #: Studies whose flag is another one than before the night.
    flagged: Mapped[int] = mapped_column(default=0)
    withdrawn: Mapped[int] = mapped_column(default=0)
    #: Images that the ensemble had not scored at the beginning, and at the end.
    left_before: Mapped[int]
    left_after: Mapped[int | None]

    __table_args__ = (
        Index(
            "uq_nights_running",
            "running",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index(
            "uq_nights_planned",
            "day",
            "ensemble_version",
            unique=True,
            sqlite_where=PLANNED,
            postgresql_where=PLANNED,
        ),
    )


class RescoredStudy(Base):
    """A study that was scored again in a night: by which score it ranked before it, and after."""

    __tablename__ = "rescored_studies"

    night_id: Mapped[int] = mapped_column(ForeignKey("nights.id"), primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    version_before: Mapped[str | None] = mapped_column(String(64))
    probability_before: Mapped[float | None]
    flagged_before: Mapped[bool]
    version_after: Mapped[str | None] = mapped_column(String(64))
    probability_after: Mapped[float | None]
    flagged_after: Mapped[bool]
    #: Somebody had read it by then.
    was_read: Mapped[bool]

    @property
    def flag_change(self) -> int:
        """1 if it is flagged newly, -1 if its flag was withdrawn, else 0."""
        return int(self.flagged_after) - int(self.flagged_before)
