"""The page of the images that are not scored, with the reasons."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.worklist.refused import RefusedFilter, refused_counts, refused_images
from readfirst.access.roles import Role
from readfirst.refusals import RefusalCode
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

#: Rows of the page; the rest is a filter away.
MOST_ROWS = 100


@router.get("/refused")
@policy(Role.READER, audit=AuditAction.LIST_VIEWED)
def refused(
    request: Request, database: DatabaseDep, settings: SettingsDep, code: RefusalCode | None = None
) -> Response:
    """The page. code: only what was refused by it."""
    with database.read() as session:
        counts = refused_counts(session)
        rows = refused_images(session, limit=MOST_ROWS, which=RefusedFilter(code=code))
    context = {
        "rows": rows,
        "counts": counts,
        "total": sum(counts.values()),
        "code": code,
        "zone": settings.zone,
    }
    return TEMPLATES.TemplateResponse(request, "refused.html", context)
