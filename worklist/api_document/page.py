"""The page that shows the OpenAPI document, and tries its operations: Swagger UI."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from readfirst.access.roles import Role
from worklist.api import PREFIX
from worklist.security.policy import policy
from worklist.services.templating import TEMPLATES

router = APIRouter(include_in_schema=False)


@router.get(f"{PREFIX}/docs", response_class=HTMLResponse)
@policy(Role.SERVICE)
def api_docs(request: Request) -> HTMLResponse:
    """The page; its scripts and styles are of this server."""
    return TEMPLATES.TemplateResponse(request, "api_docs.html")
