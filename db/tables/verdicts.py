"""The table of what readers said: the ground truth of whatever is counted later."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, text_enum
from db.tables.studies import Study
from readfirst.studies.findings import Finding

FINDING = text_enum(Finding)


class Verdict(Base):
    """The finding of a reader on a study, and what the AI said then. Never changed or removed.

    The latest row of a study stands; one that is withdrawn says that nothing stands any more.
    """

    __tablename__ = "verdicts"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    at: Mapped[datetime]
    #: None where nobody has to log in.
    account: Mapped[str | None] = mapped_column(String(64))
    #: None: read, without an opinion; or withdrawn.
    finding: Mapped[Finding | None] = mapped_column(FINDING)
    #: The study was put back among the unread ones.
    withdrawn: Mapped[bool]
    comment: Mapped[str | None] = mapped_column(Text)
    #: What the AI said at that moment, as the ensemble gave it; all None if it had not scored.
    ensemble_version: Mapped[str | None] = mapped_column(ForeignKey("ensembles.version"))
    probability: Mapped[float | None]
    threshold: Mapped[float | None]
    threshold_version: Mapped[int | None]
    flagged: Mapped[bool | None]
    #: The AI's result was hidden from the reader until this verdict.
    blind: Mapped[bool] = mapped_column(default=False)

    study: Mapped[Study] = relationship()

    __table_args__ = (
        Index("ix_verdicts_study_id_id", "study_id", "id"),
        Index("ix_verdicts_at", "at"),
    )
