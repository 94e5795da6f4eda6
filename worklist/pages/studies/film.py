"""The films of a study: what the viewer is told of them, and a page of nothing but films."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.read_models import ScoreRecord, StudyDetail, StudyRecord
from db.worklist.patients import OtherStudy, earlier_studies
from db.worklist.queries import study_detail
from readfirst.access.roles import Role
from readfirst.formatting import readable_probability
from readfirst.language.formats import moment_text
from readfirst.language.texts import gettext
from readfirst.refusals import RefusalCode
from worklist.api.parameters import StudyUid
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, NowDep, SettingsDep
from worklist.services.study_texts import minute, patient_name
from worklist.services.templating import TEMPLATES

#: Refused for what the film is, and not for its pixels: it can be shown.
DECODED = frozenset(
    {
        RefusalCode.MODALITY_NOT_RADIOGRAPHY,
        RefusalCode.IMAGE_TYPE_NOT_A_FILM,
        RefusalCode.FOR_PROCESSING,
        RefusalCode.BODY_PART_NOT_CHEST,
        RefusalCode.VIEW_NOT_FRONTAL,
        RefusalCode.LATERALITY_ONE_SIDE,
        RefusalCode.ANNOTATION_BURNED_IN,
        RefusalCode.ADULT,
        RefusalCode.CHILD_OUTSIDE_POPULATION,
        RefusalCode.AGE_UNKNOWN,
        RefusalCode.NOT_A_CHEST_RADIOGRAPH,
    }
)

router = APIRouter(default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmImage:
    """A film of the viewer.

    label: by which it is chosen. position: in its corner, as `PA, image 1 of 2`. is_open: as the
    page opens. score: the latest one; None without, and while it is hidden. percent: of it, for
    people.
    """

    sha256: str
    label: str
    view: str
    position: str
    has_thumbnail: bool
    is_open: bool
    score: ScoreRecord | None
    percent: str
    #: Why it is not scored; empty if it is, or will be.
    reason: str
    #: No small film is kept, but its pixels can be shown.
    has_preview: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierImage:
    """An image of an earlier study, in the strip. percent: of its score; empty without one."""

    sha256: str
    label: str
    percent: str
    flagged: bool
    reason: str
    has_thumbnail: bool
    has_preview: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStudy:
    """An earlier study of the patient, in the strip. date: as it is shown there."""

    study_instance_uid: str
    date: str
    images: tuple[EarlierImage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmStudy:
    """The films of a study with their texts: whose they are, where and when they were taken."""

    study_instance_uid: str
    patient: str
    identity: tuple[str, ...]
    acquired: tuple[str, ...]
    images: tuple[FilmImage, ...]
    #: The latest first.
    earlier: tuple[EarlierStudy, ...]
    ai_hidden: bool


def film_study(
    detail: StudyDetail, zone: ZoneInfo, earlier: Sequence[OtherStudy] = ()
) -> FilmStudy:
    """The films of a study, for the template `viewer.html`, in the order in which they came in.

    The one that the study ranks by is shown first; without a score, the first one.
    """
    study = detail.study
    at = study.acquisition_datetime or study.study_datetime
    return FilmStudy(
        study_instance_uid=study.study_instance_uid,
        patient=patient_name(study),
        identity=_identity(study),
        acquired=tuple(filter(None, (study.institution_name, minute(at, zone) if at else None))),
        images=_images(detail),
        earlier=tuple(_earlier(other, zone) for other in earlier),
        ai_hidden=study.ai_hidden,
    )


def _identity(study: StudyRecord) -> tuple[str, ...]:
    """ID, birth date and sex; what is unknown says so, since a gap would not be noticed."""
    born = study.patient_birth_date
    return (
        gettext("ID {patient_id}").format(patient_id=study.patient_id)
        if study.patient_id
        else gettext("no patient ID"),
        gettext("born {day}").format(day=moment_text(born, "day"))
        if born
        else gettext("birth date unknown"),
        gettext("sex {sex}").format(sex=study.patient_sex)
        if study.patient_sex
        else gettext("sex unknown"),
    )


def _images(detail: StudyDetail) -> tuple[FilmImage, ...]:
    images = detail.study.images
    first = detail.study.deciding_image or images[0].sha256
    # The latest score of an image comes last.
    scores = {score.sha256: score for score in detail.scores}
    return tuple(
        FilmImage(
            sha256=image.sha256,
            label=_label(image.modality, image.view_position, number),
            view=image.view_position or "",
            position=_position(image.view_position, number, len(images)),
            has_thumbnail=image.ready_at is not None,
            is_open=image.sha256 == first,
            score=scores.get(image.sha256),
            percent=_percent(scores.get(image.sha256)),
            reason=image.reason or "",
            has_preview=_has_preview(image.code, removed=image.original_removed_at is not None),
        )
        for number, image in enumerate(images, 1)
    )


def _label(modality: str | None, view: str | None, number: int) -> str:
    known = " ".join(filter(None, (modality, view)))
    return known or gettext("Image {number}").format(number=number)


def _position(view: str | None, number: int, images: int) -> str:
    text = gettext("image {number} of {images}").format(number=number, images=images)
    return ", ".join(filter(None, (view, text)))


def _earlier(other: OtherStudy, zone: ZoneInfo) -> EarlierStudy:
    return EarlierStudy(
        study_instance_uid=other.study_instance_uid,
        date=moment_text(other.at, "day", zone),
        images=tuple(
            EarlierImage(
                sha256=image.sha256,
                label=_label(image.modality, image.view_position, number),
                percent=""
                if image.probability is None
                else readable_probability(image.probability),
                flagged=image.flagged,
                reason=image.reason or "",
                has_thumbnail=image.has_thumbnail,
                has_preview=_has_preview(image.code, removed=image.original_removed),
            )
            for number, image in enumerate(other.images, 1)
        ),
    )


def _has_preview(code: str | None, *, removed: bool) -> bool:
    return not removed and code in DECODED


def _percent(score: ScoreRecord | None) -> str:
    return "" if score is None else readable_probability(score.probability)


@router.get("/studies/{study_instance_uid}/film")
@policy(Role.READER, audit=AuditAction.STUDY_VIEWED)
def film(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    now: NowDep,
    study_instance_uid: StudyUid,
) -> Response:
    """The page, for a screen that shows films alone."""
    display = settings.display(now, to_reader=True)
    with database.read() as session:
        detail = study_detail(session, study_instance_uid, display=display)
        earlier = earlier_studies(session, study_instance_uid, display=display) if detail else []
    if detail is None:
        return TEMPLATES.TemplateResponse(request, "study_not_found.html", status_code=404)
    context = {"film": film_study(detail, settings.zone, earlier)}
    return TEMPLATES.TemplateResponse(request, "viewer_page.html", context)
