"""The attributes of an image's original, as a table; part of its study's page, or alone."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from readfirst.errors import Refused
from readfirst.refusals import refusal_text
from worklist.api.parameters import Sha256
from worklist.security.policy import policy
from worklist.services.dependencies import OriginalsDep, RendererDep
from worklist.services.templating import TEMPLATES, is_part

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/images/{sha256}/attributes")
@policy(Role.READER, audit=AuditAction.STUDY_VIEWED)
def attributes(
    request: Request, originals: OriginalsDep, renderer: RendererDep, sha256: Sha256
) -> Response:
    """The table, or the reason why there is none."""
    context: dict[str, Any] = {"image": originals.image(sha256)}
    try:
        context["elements"] = renderer.elements(originals.path(sha256))
    except Refused as refusal:
        # What is no image at all says nothing of itself.
        context["message"] = refusal_text(refusal.code, refusal.reason)
    name = "attributes_table.html" if is_part(request) else "attributes.html"
    return TEMPLATES.TemplateResponse(request, name, context)
