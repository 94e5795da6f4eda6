"""The originals of images, for routes: where each is, or what its asker is told instead."""

from pathlib import Path

from fastapi import HTTPException

from db.session import Database
from db.views import ImageDetail
from db.worklist import image_detail
from ingest.store import Store
from readfirst.settings import Settings


class Originals:
    """The images of one ReadFirst, by the sha256 of their originals."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._store = Store(settings.store_path)

    def image(self, sha256: str) -> ImageDetail:
        """One image. Raises HTTPException 404."""
        with self._database.read() as session:
            found = image_detail(session, sha256)
        if found is None:
            raise HTTPException(404, "No image has this digest.")
        return found

    def path(self, sha256: str) -> Path:
        """Where its original is kept. Raises HTTPException 404, or 410 if it is kept no more."""
        if self.image(sha256).image.original_removed_at is not None:
            raise HTTPException(410, "The original was removed, as the site's settings say.")
        if not self._store.has(sha256):
            raise HTTPException(404, "The original is not in the store.")
        return self._store.path(sha256)
