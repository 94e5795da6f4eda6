"""What an image's original says of itself, as a table; part of its study's page, or alone."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from db.session import Database
from readfirst.errors import Refused
from readfirst.settings import Settings
from worklist.api.images import Renderer
from worklist.api.parameters import Sha256
from worklist.originals import Originals
from worklist.pages.templates import TEMPLATES, is_part


def add_attributes_page(
    app: FastAPI, database: Database, settings: Settings, renderer: Renderer
) -> None:
    """Add the page."""
    originals = Originals(database, settings)

    @app.get("/images/{sha256}/attributes", response_class=HTMLResponse, include_in_schema=False)
    def attributes(request: Request, sha256: Sha256) -> Response:
        shown: dict[str, Any] = {"image": originals.image(sha256)}
        try:
            shown["elements"] = renderer.elements(originals.path(sha256))
        except Refused as refusal:
            # What is no image at all says nothing of itself.
            shown["said"] = refusal.reason
        name = "attributes_table.html" if is_part(request) else "attributes.html"
        return TEMPLATES.TemplateResponse(request, name, shown)
