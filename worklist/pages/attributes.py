"""What an image's original says of itself, as a table; part of its study's page, or alone."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from db.session import Database
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
        image = originals.image(sha256)
        shown = {"image": image, "elements": renderer.elements(originals.path(sha256))}
        name = "attributes_table.html" if is_part(request) else "attributes.html"
        return TEMPLATES.TemplateResponse(request, name, shown)
