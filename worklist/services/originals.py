"""The files of images, for routes: where each is, or the error in its place.

Routes get films by this alone, so that none is handed out but by a record, which is noted.
"""

from pathlib import Path

from fastapi import HTTPException

from db.read_models import ImageDetail
from db.session import Database
from db.worklist.queries import image_detail, small_film
from ingest.inbox.store import Store
from readfirst.derived_images import DerivedImages
from readfirst.settings import Settings
from readfirst.studies.display import DisplayContext


class Originals:
    """The images of one ReadFirst, by the sha256 of their originals."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._store = Store(settings.store_path)
        self._derived = DerivedImages(settings.prepared_path)

    def image(self, sha256: str, display: DisplayContext | None = None) -> ImageDetail:
        """Find an image. display: None leaves out what its score says. Raises HTTPException 404."""
        with self._database.read() as session:
            detail = image_detail(session, sha256, display)
        if detail is None:
            raise HTTPException(404, "No image has this digest.")
        return detail

    def path(self, sha256: str) -> Path:
        """The path of its original. Raises HTTPException 404, or 410 if it is kept no more."""
        if self.image(sha256).image.original_removed_at is not None:
            raise HTTPException(410, "The original was removed, as the site's settings say.")
        if not self._store.has(sha256):
            raise HTTPException(404, "The original is not in the store.")
        return self._store.path(sha256)

    def thumbnail(self, sha256: str) -> Path:
        """The path of its small film. Raises HTTPException 404."""
        with self._database.read() as session:
            film = small_film(session, sha256)
        if film is None:
            raise HTTPException(404, "No image has this digest.")
        return _prepared(self._derived.thumbnail(film.sha256))

    def model_input(self, sha256: str) -> Path:
        """The path of the film as the networks take it. Raises HTTPException 404."""
        version = self.image(sha256).preprocessing_version
        if version is None:
            raise HTTPException(404, "The image is not prepared.")
        return _prepared(self._derived.model_input(sha256, version))


def _prepared(path: Path) -> Path:
    if not path.is_file():
        raise HTTPException(404, "The image is not prepared.")
    return path
