"""The other studies of a patient, with their verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, defer, load_only, selectinload

from db.disclosures import OfStudy
from db.ensembles.shadows import has_been_active
from db.read_models import VerdictRecord
from db.ris.merges import merges_of
from db.session import rows_of
from db.tables import EnsembleVersion, Image, Score, Study
from db.verdicts import NO_VERDICT, VerdictSummary, verdict_summaries
from db.worklist.score_marks import marks_of_scores
from readfirst.domain import ImageState
from readfirst.refusals import refusal_text
from readfirst.studies.display import DisplayContext
from readfirst.studies.identity import PATIENT_FIELDS, Patient, is_same, patient_from
from readfirst.studies.marks import Mark, Validity, validity_of
from readfirst.studies.prevalence import at_prevalence

LATEST_FIRST = (func.coalesce(Study.study_datetime, Study.received_at).desc(), Study.id.desc())
#: Studies of one ID that are looked at. Nobody has so many; a number that stands for `unknown` may.
MOST_CANDIDATES = 1000
#: Made once, as those below: to put a statement together takes longer than to run it.
_PATIENT = select(Study.id, *(getattr(Study, name) for name in PATIENT_FIELDS)).where(
    Study.study_instance_uid == bindparam("uid")
)
_OTHERS = (
    select(Study, EnsembleVersion)
    .outerjoin(EnsembleVersion, Study.ensemble_version == EnsembleVersion.version)
    .options(
        selectinload(Study.images).selectinload(Image.scores),
        load_only(EnsembleVersion.prevalence),
        defer(Study.search_text),
    )
    .where(Study.id.in_(bindparam("ids", expanding=True)))
    .order_by(*LATEST_FIRST)
)
_PRESUPPOSED = select(EnsembleVersion.version, EnsembleVersion.prevalence).where(has_been_active())


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherImage:
    """An image of another study of a patient."""

    sha256: str
    modality: str | None
    view_position: str | None
    #: A small film of it is kept.
    has_thumbnail: bool
    #: Why it is not scored; None if it is, or will be.
    code: str | None
    reason: str | None
    original_removed: bool
    #: Of its latest score; None without one, and while it is hidden.
    probability: float | None
    flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStudy(OfStudy):
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
    #: Its score is not validated, or in doubt.
    marked: bool
    #: How far its score holds, by its marks.
    validity: Validity
    #: The AI's result is kept from the reader until it has a verdict.
    ai_hidden: bool
    images: tuple[OtherImage, ...]
    read_at: datetime | None
    #: It came in for comparison, and is no unread work.
    prior: bool
    verdict: VerdictRecord | None


def other_studies(
    session: Session, study_instance_uid: str, *, display: DisplayContext, limit: int = 20
) -> list[OtherStudy]:
    """The other studies of the same patient, the latest first.

    The same is who has the same Patient ID within its issuer, and nothing speaks against it.
    """
    row = rows_of(session, _PATIENT, {"uid": study_instance_uid}).first()
    if row is None:
        return []
    number, *values = row
    others = _of_the_same_patient(session, number, patient_from(values))[:limit]
    if not others:
        return []
    rows = session.execute(_OTHERS, {"ids": others}).all()
    study_ids = [row.Study.id for row in rows]
    summaries = verdict_summaries(session, study_ids, prevalence=display.prevalence)
    presupposed = dict(rows_of(session, _PRESUPPOSED).all())
    marks = marks_of_scores(session, study_ids, display.prevalence)
    return [
        _record(other, ensemble, display, summaries.get(other.id, NO_VERDICT), presupposed, marks)
        for other, ensemble in rows
    ]


def earlier_studies(
    session: Session, study_instance_uid: str, *, display: DisplayContext
) -> list[OtherStudy]:
    """The studies of the same patient that were taken before this one, the latest first.

    A study without a stated time counts as taken when it came in.
    """
    taken_at = func.coalesce(Study.study_datetime, Study.received_at)
    at = session.scalar(select(taken_at).where(Study.study_instance_uid == study_instance_uid))
    others = other_studies(session, study_instance_uid, display=display)
    return [other for other in others if at is not None and other.at < at]


def _of_the_same_patient(session: Session, study_id: int, patient: Patient) -> list[int]:
    """The numbers of the other studies of a study's patient, the latest first.

    The index finds whoever has the same ID. Whose they are is decided here, before they are cut to
    as many as are shown: else another issuer's patient of the same number would hide them.
    """
    if patient.patient_id is None:
        return []
    merges = merges_of(session, [patient.patient_id])
    ids = merges.ids | {patient.patient_id}
    query = (
        select(Study.id, *(getattr(Study, name) for name in PATIENT_FIELDS))
        .where(Study.patient_id.in_(ids), Study.id != study_id, Study.images.any())
        .order_by(*LATEST_FIRST)
        .limit(MOST_CANDIDATES)
    )
    issuer = patient.issuer_of_patient_id
    if issuer is not None and not merges:
        query = query.where(func.coalesce(Study.issuer_of_patient_id, issuer) == issuer)
    patient = merges.identity(patient)
    return [
        number
        for number, *values in rows_of(session, query)
        if is_same(merges.identity(patient_from(values)), patient)
    ]


def _record(
    study: Study,
    ensemble: EnsembleVersion | None,
    display: DisplayContext,
    verdicts: VerdictSummary,
    presupposed: Mapping[str, float | None],
    score_marks: Mapping[int, tuple[Mark, ...]],
) -> OtherStudy:
    is_hidden = display.hides(verdicts.count) and study.probability is not None

    def at_site(value: float | None) -> float | None:
        if value is None or ensemble is None or is_hidden:
            return None
        return at_prevalence(value, ensemble.prevalence, display.prevalence)

    accepted = [image for image in study.images if image.state is not ImageState.REFUSED]
    marks = [mark for image in accepted for mark in image.marks]
    if not is_hidden:
        marks += [mark for image in accepted for mark in score_marks.get(image.id, ())]
    return OtherStudy(
        study_instance_uid=study.study_instance_uid,
        at=study.study_datetime or study.received_at,
        institution_name=study.institution_name,
        views=tuple(dict.fromkeys(filter(None, map(_view_of, study.images)))),
        probability=at_site(study.probability),
        threshold=at_site(study.threshold),
        flagged=study.flagged and not is_hidden,
        marked=bool(marks),
        validity=validity_of(marks),
        ai_hidden=is_hidden,
        images=tuple(
            _image(image, display, None if is_hidden else presupposed) for image in study.images
        ),
        read_at=study.read_at,
        prior=study.prior_since is not None,
        verdict=verdicts.current,
    )


def _image(
    image: Image, display: DisplayContext, presupposed: Mapping[str, float | None] | None
) -> OtherImage:
    """presupposed: the prevalence of each ensemble that people see; None where the AI is hidden."""
    scores = [score for score in image.scores if score.ensemble_version in (presupposed or {})]
    score = scores[-1] if scores else None
    prevalence = (presupposed or {}).get(score.ensemble_version) if score else None
    return OtherImage(
        sha256=image.sha256,
        modality=image.modality,
        view_position=image.view_position,
        has_thumbnail=image.ready_at is not None,
        code=image.code.value if image.code else None,
        reason=refusal_text(image.code, image.reason) if image.reason else None,
        original_removed=image.original_removed_at is not None,
        probability=at_prevalence(score.probability, prevalence, display.prevalence)
        if score
        else None,
        flagged=score is not None and _is_flagged(score, image.study),
    )


def _is_flagged(score: Score, study: Study) -> bool:
    """True if a score reaches the threshold by which it counts in its study."""
    ranks_by = (study.ensemble_version, study.population)
    own = study.threshold if (score.ensemble_version, score.population) == ranks_by else None
    return score.probability >= (score.threshold if own is None else own)


def _view_of(image: Image) -> str:
    return " ".join(filter(None, (image.modality, image.view_position)))
