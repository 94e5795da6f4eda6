"""Heat maps: where the networks found what speaks for pneumonia. Workers make them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from db.ensembles import active_ensemble
from db.heat_maps import HeatMapView, heat_maps_of, want, want_again
from db.images import image_with_content
from db.session import Database
from db.tables import Image
from readfirst.domain import ImageState
from readfirst.heat import HeatMethod, HeatState
from readfirst.prepared import PreparedImages
from worklist.api.answers import NOT_MODIFIED, answer_json, as_json, has_already
from worklist.api.images import PNG
from worklist.api.parameters import NO_NUL, Sha256
from worklist.api.problems import CONFLICT, NOT_FOUND, TAKEN

#: Tells the workers that there is work; never raises.
Ring = Callable[[], None]
Version = Annotated[
    str | None,
    Query(
        max_length=64,
        pattern=NO_NUL,
        description="Of the ensemble. Default: the map that was made last.",
    ),
]


class HeatMapWish(BaseModel):
    """A heat map that somebody wants."""

    model_config = ConfigDict(extra="forbid")

    method: HeatMethod


def add_heat_maps(
    router: APIRouter, database: Database, prepared: PreparedImages, ring: Ring
) -> None:
    """Add the heat maps of an image. ring: tells the workers that one is wanted."""

    @router.post(
        "/images/{sha256}/heat-maps",
        operation_id="wantHeatMap",
        tags=["images"],
        status_code=202,
        response_model=list[HeatMapView],
        responses=NOT_FOUND | CONFLICT | TAKEN,
    )
    def want_heat_map(sha256: Sha256, wish: HeatMapWish) -> Response:
        """Let a heat map be made by the active ensemble, or a failed one be tried again.

        Grad-CAM takes a second, LIME a minute; both wait for films that come in.
        """
        with database.write() as session:
            image = _scored(session, sha256)
            ensemble = active_ensemble(session)
            if ensemble is None:
                raise HTTPException(409, "No ensemble is active.")
            now = datetime.now(UTC)
            row = want(session, image.id, ensemble.version, wish.method, now, asked=True)
            path = prepared.heat_map(sha256, ensemble.version, wish.method)
            if row.state is HeatState.MADE and not path.is_file():
                want_again(row, now, asked=True)
            session.flush()
            maps = heat_maps_of(session, sha256)
        ring()
        return Response(as_json(maps), status_code=202, media_type="application/json")

    @router.get(
        "/images/{sha256}/heat-maps",
        operation_id="listHeatMaps",
        tags=["images"],
        response_model=list[HeatMapView],
        responses=NOT_FOUND | NOT_MODIFIED,
    )
    def heat_maps(request: Request, sha256: Sha256) -> Response:
        """The heat maps of an image, by every ensemble version: wanted, made or failed."""
        with database.read() as session:
            _known(session, sha256)
            maps = heat_maps_of(session, sha256)
        return answer_json(request, maps)

    @router.get(
        "/images/{sha256}/heat-maps/{method}.png",
        operation_id="getHeatMap",
        tags=["images"],
        response_class=Response,
        responses=PNG | NOT_FOUND | NOT_MODIFIED,
    )
    def heat_map(
        request: Request, sha256: Sha256, method: HeatMethod, ensemble: Version = None
    ) -> Response:
        """A heat map as PNG, 224 x 224, over the `area` of the film.

        `grad_cam`: heat, from none at 0 to the hottest place at 255. `lime`: above 128 what speaks
        for pneumonia, below it what speaks against. Films do not compare by it.
        """
        with database.read() as session:
            _known(session, sha256)
            found = _made(heat_maps_of(session, sha256), method, ensemble)
        path = prepared.heat_map(sha256, found.ensemble_version, method)
        if not path.is_file():
            raise HTTPException(404, "The heat map is gone; ask for it again.")
        tag = f'"{path.stem}-{found.ensemble_version}-{path.stat().st_mtime_ns}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
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
        raise HTTPException(409, "The film has no score, so there is nothing to explain.")
    return image


def _made(maps: tuple[HeatMapView, ...], method: HeatMethod, version: str | None) -> HeatMapView:
    for found in maps:
        fits = version is None or found.ensemble_version == version
        if found.method is method and found.state is HeatState.MADE and fits:
            return found
    raise HTTPException(404, "There is no such heat map.")
