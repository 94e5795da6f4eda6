"""Films whose studies have a verdict that says what they show."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from db.tables import Image, Score, Study, Verdict
from db.verdicts import latest_verdicts
from readfirst.domain import FileKind, ImageState
from readfirst.studies.findings import LABELS, Finding

#: Why the last verdict of a study is no label.
UNCERTAIN, NO_OPINION, WITHDRAWN = "uncertain", "no_opinion", "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFilmRecord:
    """A scored film, the last verdict of its study, and what the AI said at the time of it.

    probability: of this film by that ensemble version. study_probability, threshold, flagged: of
    the study. All None where the AI had not scored. has_original: the site still keeps its file.
    """

    sha256: str
    kind: FileKind | None
    sop_instance_uid: str
    series_instance_uid: str | None
    study_instance_uid: str
    patient_id: str | None
    patient_name: str | None
    patient_birth_date: date | None
    has_original: bool
    finding: Finding
    blind: bool
    ensemble_version: str | None
    probability: float | None
    study_probability: float | None
    threshold: float | None
    flagged: bool | None


def labelled_films(session: Session, since: datetime | None = None) -> list[LabelledFilmRecord]:
    """The films of every study whose last verdict is a label, in the order of their arrival.

    A film that came in after the verdict has none: its reader cannot have seen it. since: only
    verdicts that were given from then on.
    """
    then = and_(Score.image_id == Image.id, Score.ensemble_version == Verdict.ensemble_version)
    query = (
        select(Image, Study, Verdict, Score.probability)
        .join(Study, Image.study_id == Study.id)
        .join(Verdict, Verdict.study_id == Study.id)
        .outerjoin(Score, then)
        .where(
            Verdict.id.in_(latest_verdicts()),
            Verdict.finding.in_(LABELS),
            Image.state != ImageState.REFUSED,
            Image.scores.any(),
            Image.received_at <= Verdict.at,
            *([] if since is None else [Verdict.at >= since]),
        )
        .order_by(Image.id)
    )
    return [_record(*row) for row in session.execute(query)]


def verdicts_without_label(session: Session) -> Mapping[str, int]:
    """Count the studies whose last verdict is no label, by why not."""
    query = (
        select(Verdict.finding, Verdict.withdrawn, func.count())
        .where(Verdict.id.in_(latest_verdicts()))
        .group_by(Verdict.finding, Verdict.withdrawn)
    )
    counts: Counter[str] = Counter()
    for finding, withdrawn, number in session.execute(query):
        if withdrawn:
            counts[WITHDRAWN] += number
        elif finding not in LABELS:
            counts[NO_OPINION if finding is None else UNCERTAIN] += number
    return dict(counts)


def _record(
    image: Image, study: Study, verdict: Verdict, probability: float | None
) -> LabelledFilmRecord:
    if verdict.finding is None:
        raise ValueError("a verdict without a finding is no label")
    return LabelledFilmRecord(
        sha256=image.sha256,
        kind=image.kind,
        sop_instance_uid=image.sop_instance_uid,
        series_instance_uid=image.series_instance_uid,
        study_instance_uid=study.study_instance_uid,
        patient_id=study.patient_id,
        patient_name=study.patient_name,
        patient_birth_date=study.patient_birth_date,
        has_original=image.original_removed_at is None,
        finding=verdict.finding,
        blind=verdict.blind,
        ensemble_version=verdict.ensemble_version,
        probability=probability,
        study_probability=verdict.probability,
        threshold=verdict.threshold,
        flagged=verdict.flagged,
    )
