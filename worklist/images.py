"""Films for the page, by the digest of their originals."""

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from readfirst.prepared import PreparedImages


def add_images(app: FastAPI, prepared: PreparedImages) -> None:
    """Add the thumbnails."""

    @app.get("/thumbnails/{sha256}.png", include_in_schema=False)
    def thumbnail(sha256: str) -> FileResponse:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise HTTPException(404)
        path = prepared.thumbnail(sha256)
        if not path.is_file():
            raise HTTPException(404)
        # Named by content: it never changes.
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        return FileResponse(path, media_type="image/png", headers=headers)
