"""Films: rendered from the original, small, as the networks see them, and as they were sent."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from PIL import Image as PillowImage

from db.session import Database
from db.views import ImageDetail
from ingest.elements import Element
from ingest.pixels.viewing import FilmFacts
from ingest.pixels.window import Window
from ingest.sandbox import Reader
from readfirst import __version__
from readfirst.domain import FileKind
from readfirst.prepared import PreparedImages
from readfirst.settings import Settings
from worklist.api.answers import NOT_MODIFIED, ROWS, Wanted, answer_json, answer_rows, has_already
from worklist.api.parameters import Sha256
from worklist.api.problems import GONE, NOT_FOUND
from worklist.originals import Originals

Center = Annotated[
    float | None,
    Query(ge=-1e6, le=1e6, description="Window centre, in what the modality LUT gives."),
]
Width = Annotated[float | None, Query(ge=1, le=1e6, description="Window width.")]
Longest = Annotated[
    int | None,
    Query(ge=16, le=65535, description="Most samples of the longer side. Default: every pixel."),
]
BINARY = {"schema": {"type": "string", "format": "binary"}}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": BINARY}}}
FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"*/*": BINARY}}}
MEDIA_TYPE_OF_KIND = {FileKind.DICOM: "application/dicom"}
SAMPLES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": BINARY},
        "headers": {"ReadFirst-Film": {"schema": {"type": "string"}, "description": "JSON."}},
    }
}
#: Films in line to be rendered; one is in memory at a time.
MOST_WAITING = 8
#: The least work of zlib: a film is larger by a tenth, and there in a third of the time.
COMPRESSION = 1


class Renderer:
    """Renders originals, one at a time, in the process that reads files."""

    def __init__(self, settings: Settings) -> None:
        self._reader = Reader(settings.decode_seconds, settings.decode_megabytes)
        self._line = threading.BoundedSemaphore(MOST_WAITING)
        self._turn = threading.Lock()

    def close(self) -> None:
        """End that process."""
        self._reader.close()

    def png(self, path: Path, window: Window | None) -> bytes:
        """Every pixel of a film as PNG, 8 bits. Raises Refused, Unavailable, HTTPException 503."""
        with self._in_line(), self._turn:
            film = PillowImage.fromarray(self._reader.display(path, window))
            out = io.BytesIO()
            film.save(out, "png", compress_level=COMPRESSION)
            return out.getvalue()

    def samples(self, path: Path, longest: int | None) -> tuple[FilmFacts, bytes]:
        """A film before any window, as `Reader.samples`. Raises as `png`."""
        with self._in_line(), self._turn:
            return self._reader.samples(path, longest)

    def elements(self, path: Path) -> list[Element]:
        """What a file says of itself, as `Reader.elements`. Raises as `png`."""
        with self._in_line(), self._turn:
            return self._reader.elements(path)

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise HTTPException(503, "Too many films wait.", headers={"Retry-After": "2"})
        try:
            yield
        finally:
            self._line.release()


def add_api_images(
    router: APIRouter, database: Database, settings: Settings, renderer: Renderer
) -> None:
    """Add one image in all its forms."""
    originals = Originals(database, settings)
    prepared = PreparedImages(settings.prepared_path)

    @router.get(
        "/images/{sha256}",
        operation_id="getImage",
        tags=["images"],
        response_model=ImageDetail,
        responses=NOT_FOUND | NOT_MODIFIED,
    )
    def image(request: Request, sha256: Sha256) -> Response:
        """One image: state, size, and the study to which it belongs."""
        return answer_json(request, originals.image(sha256))

    @router.get(
        "/images/{sha256}/thumbnail",
        operation_id="getThumbnail",
        tags=["images"],
        response_class=Response,
        responses=PNG | NOT_FOUND | NOT_MODIFIED,
    )
    def thumbnail(request: Request, sha256: Sha256) -> Response:
        """The small film of the worklist, as PNG."""
        originals.image(sha256)
        return _kept(request, prepared.thumbnail(sha256))

    @router.get(
        "/images/{sha256}/model-ready",
        operation_id="getModelReadyImage",
        tags=["images"],
        response_class=Response,
        responses=PNG | NOT_FOUND | NOT_MODIFIED,
    )
    def model_ready(request: Request, sha256: Sha256) -> Response:
        """The film as the networks take it, as PNG."""
        version = originals.image(sha256).preprocessing_version
        if version is None:
            raise HTTPException(404, "The image is not prepared.")
        return _kept(request, prepared.model_ready(sha256, version))

    @router.get(
        "/images/{sha256}/rendered",
        operation_id="renderImage",
        tags=["images"],
        response_class=Response,
        responses=PNG | NOT_FOUND | GONE | NOT_MODIFIED,
    )
    def rendered(
        request: Request, sha256: Sha256, center: Center = None, width: Width = None
    ) -> Response:
        """The film at full resolution, as PNG: by its own window, or by the one that is asked for.

        A picture without stored values is windowed by its 256 shades.
        """
        if (center is None) != (width is None):
            raise HTTPException(422, "A window has a centre and a width.")
        window = Window(center, width) if center is not None and width is not None else None
        path = originals.path(sha256)
        shown = f"-{window.center:g}-{window.width:g}" if window else ""
        headers = _headers(f"{sha256}-{__version__}{shown}")
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(renderer.png(path, window), headers=headers, media_type="image/png")

    @router.get(
        "/images/{sha256}/pixels",
        operation_id="getPixels",
        tags=["images"],
        response_class=Response,
        responses=SAMPLES | NOT_FOUND | GONE | NOT_MODIFIED,
    )
    def pixels(request: Request, sha256: Sha256, longest: Longest = None) -> Response:
        """The film before any window, for a viewer: a table of greys, then samples row by row.

        `ReadFirst-Film` says how they are to be read.
        """
        path = originals.path(sha256)
        # Kept by the browser, and yet asked for each time, so that every look at it is noted.
        headers = _headers(f"{sha256}-{__version__}-{longest}") | {
            "Cache-Control": "private, no-cache"
        }
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        facts, body = renderer.samples(path, longest)
        headers["ReadFirst-Film"] = json.dumps(asdict(facts))
        return Response(body, headers=headers, media_type="application/octet-stream")

    @router.get(
        "/images/{sha256}/attributes",
        operation_id="getAttributes",
        tags=["images"],
        response_model=list[Element],
        responses=ROWS | NOT_FOUND | GONE,
    )
    def attributes(request: Request, sha256: Sha256, wanted: Wanted = None) -> Response:
        """What the original says of itself: its data elements, or the facts of a picture.

        Bytes in bulk are not given, and long values are cut.
        """
        rows = renderer.elements(originals.path(sha256))
        return answer_rows(request, wanted, Element, rows)

    @router.get(
        "/images/{sha256}/original",
        operation_id="getOriginal",
        tags=["images"],
        response_class=FileResponse,
        responses=FILE | NOT_FOUND | GONE | NOT_MODIFIED,
    )
    def original(request: Request, sha256: Sha256) -> Response:
        """The file as it came in; its ETag is its sha256."""
        path, kind = originals.path(sha256), originals.image(sha256).image.kind
        headers = _headers(sha256)
        if has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        media_type = _media_type(kind)
        name = f"{sha256[:12]}.{'dcm' if kind == FileKind.DICOM else 'bin'}"
        return FileResponse(path, headers=headers, media_type=media_type, filename=name)


def _kept(request: Request, path: Path) -> Response:
    """A prepared image; it may be made anew, so its time is in its ETag."""
    if not path.is_file():
        raise HTTPException(404, "The image is not prepared.")
    headers = _headers(f"{path.stem}-{path.stat().st_mtime_ns}")
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type="image/png")


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"'}


def _media_type(kind: str | None) -> str:
    if kind is None:
        return "application/octet-stream"
    return MEDIA_TYPE_OF_KIND.get(FileKind(kind), f"image/{kind}")
