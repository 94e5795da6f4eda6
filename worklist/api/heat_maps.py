"""Heat maps: where the networks found what speaks for pneumonia. Workers make them."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db.access.audit import AuditAction
from db.ensembles.versions import active_ensemble
from db.heat_maps import HeatMapRecord, heat_maps_of
from db.images import image_with_content
from db.lifecycle.heat_maps import want, want_again
from db.tables import Image
from db.verdicts import has_verdict
from readfirst.access.roles import Role
from readfirst.domain import ImageState
from readfirst.heat_maps import HeatMethod, HeatState
from readfirst.tasks.names import TaskName
from worklist.api.images import ASKED_FOR_AGAIN, PNG
from worklist.api.parameters import HeatMapVersion, Sha256
from worklist.http.problems import CONFLICT, NOT_FOUND, TAKEN
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json, has_already
from worklist.security.policy import policy
from worklist.services.dependencies import (
    DatabaseDep,
    DerivedImagesDep,
    FromPage,
    NotifierDep,
    SettingsDep,
)


def shown_to_reader(
    settings: SettingsDep, from_page: FromPage, database: DatabaseDep, sha256: Sha256
) -> None:
    """Raise 403 while the site hides from a reader what the AI says of a study."""
    if settings.is_silent:
        raise HTTPException(403, "Silent mode: what the AI says is shown to nobody.")
    if not (from_page and settings.hide_ai_until_verdict):
        return
    with database.read() as session:
        if not has_verdict(session, sha256):
            raise HTTPException(403, "What the AI says is hidden until a verdict is given.")


router = APIRouter(tags=["images"], dependencies=[Depends(shown_to_reader)])


class HeatMapWish(BaseModel):
    """A heat map that somebody wants."""

    model_config = ConfigDict(extra="forbid")

    method: HeatMethod


@router.post(
    "/images/{sha256}/heat-maps",
    operation_id="requestHeatMap",
    status_code=202,
    response_model=list[HeatMapRecord],
    responses=NOT_FOUND | CONFLICT | TAKEN,
)
@policy(Role.READER, audit=AuditAction.HEAT_MAP_WANTED)
def want_heat_map(
    database: DatabaseDep,
    prepared: DerivedImagesDep,
    notify: NotifierDep,
    sha256: Sha256,
    wish: HeatMapWish,
) -> Response:
    """Let a heat map be made by the active ensemble, or a failed one be tried again.

    Grad-CAM takes a second, LIME a minute; both wait for films that come in.
    """
    with database.write() as session:
        image = _scored(session, sha256)
        ensemble = active_ensemble(session)
        if ensemble is None:
            raise HTTPException(409, "No ensemble is active.")
        now = datetime.now(UTC)
        row = want(session, image.id, ensemble.version, wish.method, now, requested=True)
        path = prepared.heat_map(sha256, ensemble.version, wish.method)
        if row.state is HeatState.MADE and not path.is_file():
            want_again(row, now, requested=True)
        session.flush()
        maps = heat_maps_of(session, sha256)
    notify(TaskName.SCORE)
    return Response(as_json(maps), status_code=202, media_type="application/json")


@router.get(
    "/images/{sha256}/heat-maps",
    operation_id="listHeatMaps",
    response_model=list[HeatMapRecord],
    responses=NOT_FOUND | NOT_MODIFIED,
)
# What is in work; the page asks by itself until it is made.
@policy(Role.SERVICE, attended=False)
def heat_maps(request: Request, database: DatabaseDep, sha256: Sha256) -> Response:
    """The heat maps of an image, by every ensemble version: wanted, made or failed."""
    with database.read() as session:
        _known(session, sha256)
        maps = heat_maps_of(session, sha256)
    return answer_json(request, maps)


@router.get(
    "/images/{sha256}/heat-maps/{method}.png",
    operation_id="getHeatMap",
    response_class=Response,
    responses=PNG | NOT_FOUND | NOT_MODIFIED,
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def heat_map(
    request: Request,
    database: DatabaseDep,
    prepared: DerivedImagesDep,
    sha256: Sha256,
    method: HeatMethod,
    ensemble: HeatMapVersion = None,
) -> Response:
    """A heat map as PNG, 224 x 224, over the `area` of the film.

    `grad_cam`: heat, from none at 0 to the hottest place at 255. `lime`: above 128 what speaks
    for pneumonia, below it what speaks against. Films do not compare by it.
    """
    with database.read() as session:
        _known(session, sha256)
        version = _made(heat_maps_of(session, sha256), method, ensemble).ensemble_version
    path = prepared.heat_map(sha256, version, method)
    if not path.is_file():
        raise HTTPException(404, "The heat map is gone; ask for it again.")
    tag = f'"{path.stem}-{version}-{path.stat().st_mtime_ns}"'
    headers = {"ETag": tag} | ASKED_FOR_AGAIN
    if has_already(request, tag):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type="image/png")


def _known(session: Session, sha256: str) -> Image:
    image = image_with_content(session, sha256)
    if image is None:
        raise HTTPException(404, "No image has this digest.")
    return image


def _scored(session: Session, sha256: str) -> Image:
    image = _known(session, sha256)
    if image.scored_at is None or image.state is ImageState.REFUSED:
        raise HTTPException(409, "No heat map: this image was not scored.")
    return image


def _made(
    maps: tuple[HeatMapRecord, ...], method: HeatMethod, version: str | None
) -> HeatMapRecord:
    for heat_map in maps:
        fits = version is None or heat_map.ensemble_version == version
        if heat_map.method is method and heat_map.state is HeatState.MADE and fits:
            return heat_map
    raise HTTPException(404, "There is no such heat map.")
