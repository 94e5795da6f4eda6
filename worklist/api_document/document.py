"""The OpenAPI document: the routes' own, and what holds for all of them."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from readfirst.access.roles import Role
from worklist.api import PREFIX
from worklist.api_document.document_names import with_document_names
from worklist.api_document.examples import add_examples
from worklist.http.problems import Problem
from worklist.security.policy import policy
from worklist.security.principal import PLAIN_COOKIE

router = APIRouter()

TAGS = [
    {"name": "worklist", "description": "Studies in reading order."},
    {"name": "studies", "description": "One study, with all that is known of it."},
    {"name": "images", "description": "Films: rendered, small, as the networks see them, as sent."},
    {"name": "DICOMweb", "description": "Studies for other viewers, by QIDO-RS and WADO-RS."},
    {"name": "scores", "description": "What the ensembles say. A score never changes."},
    {"name": "verdicts", "description": "What readers say. The latest of a study stands."},
    {"name": "refusals", "description": "What was not scored, and why."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "watching", "description": "How the AI does, for the lead. No patient's data."},
    {"name": "administration", "description": "The site itself, for its administrator."},
    {"name": "ways in", "description": "Films, into the inbox."},
    {"name": "operation", "description": "For monitors. No patient's data."},
]
SERVERS = [{"url": "/", "description": "This server."}]
SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of a program, by `readfirst accounts add NAME --role service`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": PLAIN_COOKIE,
        "description": "Of a person, by the log-in page. By HTTPS its name begins with `__Host-`.",
    },
}
#: Either is enough; neither is needed on loopback while there is no account.
SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
#: Before any log-in.
PUBLIC_PATHS = ("/healthz", "/readyz")
METHODS = ("get", "put", "post", "delete", "patch")


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


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation of a document, with its path."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, methods[method]


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
        servers=SERVERS,
    )
    components = made.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs")
    components.setdefault("schemas", {}).update(parts | {"Problem": schema})
    components["securitySchemes"] = SECURITY_SCHEMES
    made["security"] = SECURITY
    for path, operation in operations(made):
        operation["summary"] = _in_words(operation["operationId"])
        if path in PUBLIC_PATHS:
            operation["security"] = []
    add_examples(dict(_by_id(made)))
    return with_document_names(made)


def _by_id(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, operation in operations(document):
        yield operation["operationId"], operation


def _in_words(operation_id: str) -> str:
    """`getVerdictsOfStudy` as `Get verdicts of study`: one name for programs and for people."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", operation_id).capitalize()
