"""The OpenAPI document: the routes' own, and the problem that each of them may answer."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from readfirst.access.roles import Role
from worklist.api import PREFIX
from worklist.api.document_names import with_document_names
from worklist.http.problems import Problem
from worklist.security.policy import policy

router = APIRouter()

TAGS = [
    {"name": "worklist", "description": "Studies in reading order."},
    {"name": "studies", "description": "One study, with all that is known of it."},
    {"name": "images", "description": "Films: rendered, small, as the networks see them, as sent."},
    {"name": "scores", "description": "What the ensembles say. A score never changes."},
    {"name": "verdicts", "description": "What readers say. The latest of a study stands."},
    {"name": "refusals", "description": "What was not scored, and why."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "watching", "description": "How the AI does, for the lead. No patient's data."},
    {"name": "administration", "description": "The site itself, for its administrator."},
    {"name": "ways in", "description": "Films, into the inbox."},
    {"name": "operation", "description": "For monitors. No patient's data."},
]


@router.get(f"{PREFIX}/openapi.json", include_in_schema=False)
@policy(Role.SERVICE)
async def openapi_document(request: Request) -> JSONResponse:
    """The document, as `app.openapi` makes it."""
    return JSONResponse(request.app.openapi())


def add_document(app: FastAPI) -> None:
    """Let the application describe itself with its tags and problems."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
    )
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs")
    made.setdefault("components", {}).setdefault("schemas", {}).update(parts | {"Problem": schema})
    return with_document_names(made)
