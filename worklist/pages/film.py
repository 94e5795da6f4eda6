"""The films of a study: what the viewer is told of them, and a page of nothing but films."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from db.session import Database
from db.views import ImageView
from db.worklist import study_detail
from worklist.api.parameters import StudyUid
from worklist.pages.templates import TEMPLATES


@dataclass(frozen=True, slots=True)
class FilmImage:
    """One film of the viewer. label: by which it is chosen."""

    sha256: str
    label: str
    has_thumbnail: bool


def film_images(images: Sequence[ImageView]) -> tuple[FilmImage, ...]:
    """The films of a study, for the template `film.html`, in the order in which they came in."""
    return tuple(
        FilmImage(
            image.sha256,
            " ".join(filter(None, (image.modality, image.view_position))) or f"Image {place}",
            image.ready_at is not None,
        )
        for place, image in enumerate(images, 1)
    )


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
        shown = {"film_images": film_images(found.study.images)}
        return TEMPLATES.TemplateResponse(request, "film_alone.html", shown)
