"""What else a patient has: their other studies, and what was said of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from db.studies import patient_of
from db.tables import Ensemble, Image, Study
from db.verdicts import NONE_GIVEN, given_to
from db.views import VerdictView
from readfirst.domain import ImageState
from readfirst.identity import is_same
from readfirst.prevalence import at_prevalence


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStudy:
    """Another study of a patient."""

    study_instance_uid: str
    #: Of the study; of its arrival where the files do not say it.
    at: datetime
    institution_name: str | None
    #: As `DX PA`, each once.
    views: tuple[str, ...]
    #: None while it is not scored, which never means a low risk.
    probability: float | None
    threshold: float | None
    flagged: bool
    #: Its score is not validated.
    marked: bool
    read_at: datetime | None
    verdict: VerdictView | None


def other_studies(
    session: Session, study_instance_uid: str, *, limit: int = 20, prevalence: float | None = None
) -> list[OtherStudy]:
    """The other studies of the same patient, the latest first.

    The same is who has the same Patient ID within its issuer, and nothing speaks against it.
    """
    study = session.scalar(select(Study).where(Study.study_instance_uid == study_instance_uid))
    if study is None or study.patient_id is None:
        return []
    query = (
        select(Study, Ensemble)
        .outerjoin(Ensemble, Study.ensemble_version == Ensemble.version)
        .options(selectinload(Study.images))
        .where(Study.patient_id == study.patient_id, Study.id != study.id, Study.images.any())
        .order_by(func.coalesce(Study.study_datetime, Study.received_at).desc(), Study.id.desc())
        .limit(limit)
    )
    patient = patient_of(study)
    rows = [row for row in session.execute(query) if is_same(patient_of(row.Study), patient)]
    given = given_to(session, [row.Study.id for row in rows], prevalence=prevalence)
    return [
        _view(other, ensemble, prevalence, given.get(other.id, NONE_GIVEN).standing)
        for other, ensemble in rows
    ]


def _view(
    study: Study,
    ensemble: Ensemble | None,
    prevalence: float | None,
    verdict: VerdictView | None,
) -> OtherStudy:
    def here(value: float | None) -> float | None:
        if value is None or ensemble is None:
            return None
        return at_prevalence(value, ensemble.prevalence, prevalence)

    shown = [image for image in study.images if image.state is not ImageState.REFUSED]
    return OtherStudy(
        study_instance_uid=study.study_instance_uid,
        at=study.study_datetime or study.received_at,
        institution_name=study.institution_name,
        views=tuple(dict.fromkeys(filter(None, map(_view_of, study.images)))),
        probability=here(study.probability),
        threshold=here(ensemble.threshold if ensemble else None),
        flagged=study.flagged,
        marked=any(image.marks for image in shown),
        read_at=study.read_at,
        verdict=verdict,
    )


def _view_of(image: Image) -> str:
    return " ".join(filter(None, (image.modality, image.view_position)))
