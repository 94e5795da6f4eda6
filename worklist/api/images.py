"""Films: rendered from the original, small, as the networks see them, and as they were sent."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from db.access.audit import AuditAction
from db.read_models import ImageDetail
from ingest.dicom.elements import Element
from ingest.dicom.pixels.window import Window
from readfirst import __version__
from readfirst.access.roles import Role
from readfirst.domain import FileKind
from worklist.api.parameters import Longest, Sha256, WindowCenter, WindowWidth
from worklist.http.problems import GONE, NOT_FOUND
from worklist.http.responses import (
    NOT_MODIFIED,
    ROWS,
    Wanted,
    answer_json,
    answer_rows,
    has_already,
)
from worklist.security.policy import policy
from worklist.security.principal import Principal
from worklist.services.dependencies import DisplayDep, OriginalsDep, RendererDep

router = APIRouter(tags=["images"])

BINARY = {"schema": {"type": "string", "format": "binary"}}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": BINARY}}}
FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"*/*": BINARY}}}
#: Kept by the browser, and yet asked for each time: every look is noted, and ends with its session.
ASKED_FOR_AGAIN = {"Cache-Control": "private, no-cache"}
#: A thumbnail where nobody has to log in, so that no session ends; the log notes it as seldom.
KEPT_FOR_AN_HOUR = {"Cache-Control": "private, max-age=3600"}
MEDIA_TYPE_OF_KIND = {FileKind.DICOM: "application/dicom"}
SAMPLES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": BINARY},
        "headers": {"ReadFirst-Film": {"schema": {"type": "string"}, "description": "JSON."}},
    }
}


@router.get(
    "/images/{sha256}",
    operation_id="getImage",
    response_model=ImageDetail,
    responses=NOT_FOUND | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def image(
    request: Request, originals: OriginalsDep, display: DisplayDep, sha256: Sha256
) -> Response:
    """One image: state, size, and the study to which it belongs."""
    return answer_json(request, originals.image(sha256, display))


@router.get(
    "/images/{sha256}/thumbnail",
    operation_id="getThumbnail",
    response_class=Response,
    responses=PNG | NOT_FOUND | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.THUMBNAIL_VIEWED, attended=False, each_time=False)
def thumbnail(request: Request, originals: OriginalsDep, sha256: Sha256) -> Response:
    """The small film of the worklist, as PNG."""
    return answer_thumbnail(request, originals.thumbnail(sha256))


@router.get(
    "/images/{sha256}/model-ready",
    name="model_ready",
    operation_id="getModelReadyImage",
    response_class=Response,
    responses=PNG | NOT_FOUND | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def model_input(request: Request, originals: OriginalsDep, sha256: Sha256) -> Response:
    """The film as the networks take it, as PNG."""
    return answer_prepared(request, originals.model_input(sha256))


@router.get(
    "/images/{sha256}/rendered",
    operation_id="renderImage",
    response_class=Response,
    responses=PNG | NOT_FOUND | GONE | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def rendered(
    request: Request,
    originals: OriginalsDep,
    renderer: RendererDep,
    sha256: Sha256,
    center: WindowCenter = None,
    width: WindowWidth = None,
) -> Response:
    """The film at full resolution, as PNG: by its own window, or by the one that is asked for.

    A picture without stored values is windowed by its 256 shades.
    """
    if (center is None) != (width is None):
        raise HTTPException(422, "A window has a centre and a width.")
    window = Window(center, width) if center is not None and width is not None else None
    path = originals.path(sha256)
    suffix = f"-{window.center:g}-{window.width:g}" if window else ""
    headers = _headers(f"{sha256}-{__version__}{suffix}")
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(renderer.png(path, window), headers=headers, media_type="image/png")


@router.get(
    "/images/{sha256}/pixels",
    operation_id="getPixels",
    response_class=Response,
    responses=SAMPLES | NOT_FOUND | GONE | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def pixels(
    request: Request,
    originals: OriginalsDep,
    renderer: RendererDep,
    sha256: Sha256,
    longest: Longest = None,
) -> Response:
    """The film before any window, for a viewer: a table of greys, then samples row by row.

    `ReadFirst-Film` says how they are to be read.
    """
    path = originals.path(sha256)
    headers = _headers(f"{sha256}-{__version__}-{longest}") | ASKED_FOR_AGAIN
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    facts, body = renderer.samples(path, longest)
    headers["ReadFirst-Film"] = json.dumps(asdict(facts))
    return Response(body, headers=headers, media_type="application/octet-stream")


@router.get(
    "/images/{sha256}/overlay",
    operation_id="getOverlay",
    response_class=Response,
    responses=PNG | NOT_FOUND | GONE | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def overlay(
    request: Request, originals: OriginalsDep, renderer: RendererDep, sha256: Sha256
) -> Response:
    """The overlays of a film (groups 60xx), as PNG of its size: white where they draw."""
    path = originals.path(sha256)
    headers = _headers(f"{sha256}-{__version__}-overlay") | {"Cache-Control": "private, no-cache"}
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(renderer.overlay(path), headers=headers, media_type="image/png")


@router.get(
    "/images/{sha256}/attributes",
    operation_id="getAttributes",
    response_model=list[Element],
    responses=ROWS | NOT_FOUND | GONE,
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def attributes(
    request: Request,
    originals: OriginalsDep,
    renderer: RendererDep,
    sha256: Sha256,
    wanted: Wanted = None,
) -> Response:
    """What the original says of itself: its data elements, or the facts of a picture.

    Bytes in bulk are not given, and long values are cut.
    """
    rows = renderer.elements(originals.path(sha256))
    return answer_rows(request, wanted, Element, rows)


@router.get(
    "/images/{sha256}/original",
    operation_id="getOriginal",
    response_class=FileResponse,
    responses=FILE | NOT_FOUND | GONE | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.ORIGINAL_TAKEN)
def original(request: Request, originals: OriginalsDep, sha256: Sha256) -> Response:
    """The file as it came in; its ETag is its sha256."""
    path, kind = originals.path(sha256), originals.image(sha256).image.kind
    headers = _headers(sha256)
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    media_type = _media_type(kind)
    name = f"{sha256[:12]}.{'dcm' if kind == FileKind.DICOM else 'bin'}"
    return FileResponse(path, headers=headers, media_type=media_type, filename=name)


def answer_thumbnail(request: Request, path: Path) -> Response:
    """A thumbnail, of which a list has many."""
    principal: Principal = request.state.principal
    return answer_prepared(
        request, path, ASKED_FOR_AGAIN if principal.account else KEPT_FOR_AN_HOUR
    )


def answer_prepared(
    request: Request, path: Path, caching: dict[str, str] = ASKED_FOR_AGAIN
) -> Response:
    """A prepared image; it may be made anew, so its time is in its ETag."""
    headers = _headers(f"{path.stem}-{path.stat().st_mtime_ns}") | caching
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type="image/png")


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"'}


def _media_type(kind: str | None) -> str:
    if kind is None:
        return "application/octet-stream"
    return MEDIA_TYPE_OF_KIND.get(FileKind(kind), f"image/{kind}")
