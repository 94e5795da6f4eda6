"""Studies with a verdict, as one ensemble version scores them."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.study_conditions import is_not_replaced
from db.tables import Image, Score, Study, Verdict
from db.verdicts import latest_verdicts
from readfirst.studies.findings import LABELS, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledScoreRecord:
    """The last verdict of a study, and the probability of its most suspicious film.

    probability: as the ensemble gives it. blind: the reader had not seen what the AI said.
    influenced: they had seen what this ensemble said of the study.
    """

    study_instance_uid: str
    patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    sick: bool
    blind: bool
    influenced: bool
    probability: float


def labelled_scores(session: Session, ensemble_version: str) -> list[LabelledScoreRecord]:
    """Every study that has a label and a score by this version, whenever either was given.

    A film that came in after the verdict does not count: its reader cannot have seen it. Nor does
    one that is stated for another population than the ensemble's first, by another calibration.
    """
    probability = func.max(Score.probability)
    query = (
        select(Study, Verdict, probability)
        .join(Verdict, Verdict.study_id == Study.id)
        .join(Image, Image.study_id == Study.id)
        .join(Score, Score.image_id == Image.id)
        .where(
            Verdict.id.in_(latest_verdicts()),
            Verdict.finding.in_(LABELS),
            Score.ensemble_version == ensemble_version,
            Score.population.is_(None),
            Image.received_at <= Verdict.at,
            is_not_replaced(),
        )
        .group_by(Study.id, Verdict.id)
        .order_by(Study.id)
    )
    return [
        LabelledScoreRecord(
            study_instance_uid=study.study_instance_uid,
            patient_id=study.patient_id,
            patient_name=study.patient_name,
            patient_birth_date=study.patient_birth_date,
            sick=verdict.finding is Finding.PNEUMONIA,
            blind=verdict.blind,
            influenced=not verdict.blind and verdict.ensemble_version == ensemble_version,
            probability=highest,
        )
        for study, verdict, highest in session.execute(query)
    ]
