"""The thumbnails of films, by the digest of their originals."""

from fastapi import APIRouter, HTTPException, Request, Response

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from worklist.api.images import answer_thumbnail
from worklist.security.policy import policy
from worklist.services.dependencies import OriginalsDep

router = APIRouter(include_in_schema=False)


@router.get("/thumbnails/{sha256}.png")
# Not noted again beside the list or the study's page that shows it.
@policy(Role.SERVICE, audit=AuditAction.THUMBNAIL_VIEWED, attended=False, each_time=False)
def thumbnail(request: Request, originals: OriginalsDep, sha256: str) -> Response:
    """The small film of the list."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise HTTPException(404)
    return answer_thumbnail(request, originals.thumbnail(sha256))
