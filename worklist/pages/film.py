"""The films of a study: what the viewer is told of them, and a page of nothing but films."""

from dataclasses import dataclass

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from db.session import Database
from db.views import StudyDetail
from db.worklist import study_detail
from worklist.api.parameters import StudyUid
from worklist.pages.templates import TEMPLATES


@dataclass(frozen=True, slots=True)
class FilmImage:
    """One film of the viewer. label: by which it is chosen. shown: as the page opens."""

    sha256: str
    label: str
    has_thumbnail: bool
    shown: bool


def film_images(detail: StudyDetail) -> tuple[FilmImage, ...]:
    """The films of a study, for the template `film.html`, in the order in which they came in.

    The one that the study ranks by is shown first; without a score, the first one.
    """
    shown = _most_suspicious(detail) or detail.study.images[0].sha256
    return tuple(
        FilmImage(
            image.sha256,
            " ".join(filter(None, (image.modality, image.view_position))) or f"Image {place}",
            image.ready_at is not None,
            image.sha256 == shown,
        )
        for place, image in enumerate(detail.study.images, 1)
    )


def _most_suspicious(detail: StudyDetail) -> str | None:
    version = detail.study.ensemble_version
    scores = [score for score in detail.scores if score.ensemble_version == version]
    most = max(scores, key=lambda score: score.probability, default=None)
    return most.sha256 if most else None


def add_film_page(app: FastAPI, database: Database) -> None:
    """Add the page, for a screen that shows films alone."""

    @app.get(
        "/studies/{study_instance_uid}/film", response_class=HTMLResponse, include_in_schema=False
    )
    def film(request: Request, study_instance_uid: StudyUid) -> Response:
        with database.read() as session:
            found = study_detail(session, study_instance_uid)
        if found is None:
            raise HTTPException(404, "No study has this Study Instance UID.")
        shown = {"film_images": film_images(found), "study_instance_uid": study_instance_uid}
        return TEMPLATES.TemplateResponse(request, "film_alone.html", shown)
