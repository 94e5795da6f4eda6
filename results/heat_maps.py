"""The heat maps of flagged films as results take them: painted, and as outlines."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from db.heat_maps import HeatMapRecord, heat_maps_of
from models.explaining.overlay import painted
from models.preprocessing import Array8
from readfirst.errors import Refused
from readfirst.heat_maps import Area, HeatMethod, HeatState
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import AiResult, HeatMapPicture, ImageResult, Outline, Picture
from results.gather import GatheredStudy
from results.services import NoResult, ResultServices

#: The longest side of a painted film, in pixels: more than a screen shows, and no more megabytes.
MOST_SIDE = 1536
#: Heat from which a region is called hot, of 1 at the hottest place of the film.
HOT = 0.5
#: Outlines may be so far off (pixels of the heat map), which leaves out most of their points.
TOLERANCE = 0.4
#: A film has no more outlines than anybody wants to see.
MOST_OUTLINES = 8

Heat = npt.NDArray[np.float64]


def heat_map_pictures(
    services: ResultServices, gathered: GatheredStudy, result: AiResult
) -> list[HeatMapPicture]:
    """Return the Grad-CAM heat maps of the flagged films, the most suspicious first.

    Raises NoResult where nothing is flagged, or no heat map of a flagged film is made.
    """
    if not result.flagged:
        raise NoResult(NoResultCode.NOT_FLAGGED)
    pictures = [
        picture
        for image in result.flagged
        if (picture := _picture(services, gathered, result, image)) is not None
    ]
    if not pictures:
        raise NoResult(NoResultCode.NO_HEAT_MAP)
    return pictures


def _picture(
    services: ResultServices, gathered: GatheredStudy, result: AiResult, image: ImageResult
) -> HeatMapPicture | None:
    sha256 = gathered.sha256_of(image)
    version = result.algorithm.version
    record = _record(services, sha256, version)
    path = services.derived_images.heat_map(sha256, version, HeatMethod.GRAD_CAM)
    if record is None or record.area is None or not path.is_file():
        return None
    try:
        film = services.reader.display(services.store.path(sha256))
    except Refused as refusal:
        raise NoResult(NoResultCode.FILM_UNREADABLE, refusal.reason) from refusal
    heat = _heat(path)
    as_stored = film.shape == (image.image.rows, image.image.columns)
    return HeatMapPicture(
        image=image.image,
        method="Grad-CAM",
        painted=painted_film(film, heat, record.area),
        outlines=outlines_of(heat, record.area, film.shape) if as_stored else (),
        presentation=gathered.sources[sha256].presentation,
    )


def _record(services: ResultServices, sha256: str, version: str) -> HeatMapRecord | None:
    with services.database.read() as session:
        records = heat_maps_of(session, sha256)
    made = (
        record
        for record in records
        if record.method is HeatMethod.GRAD_CAM
        and record.ensemble_version == version
        and record.state is HeatState.MADE
    )
    return next(made, None)


def _heat(path: Path) -> Heat:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float64) / 255


def painted_film(film: Array8, heat: Heat, area: Area) -> Picture:
    """Paint a film, made smaller where it is large: (rows, columns, 3) uint8.

    heat: 0 to 1, over `area` alone; elsewhere the film is as it is.
    """
    small = Image.fromarray(film)
    small.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(small)
    rows, columns = grey.shape
    top, bottom = round(area.top * rows), max(round(area.bottom * rows), round(area.top * rows) + 1)
    left, right = round(area.left * columns), round(area.right * columns)
    right = max(right, left + 1)
    size = (right - left, bottom - top)
    resized = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    whole = np.zeros(grey.shape, dtype=np.float32)
    whole[top:bottom, left:right] = np.asarray(resized)[: rows - top, : columns - left]
    return painted(grey, whole)


def outlines_of(heat: Heat, area: Area, shape: tuple[int, ...]) -> tuple[Outline, ...]:
    """Return the outlines of the hot regions, the longest first: (n, 2), columns and rows.

    heat: 0 to 1, over `area`. shape: rows and columns of the film, whose corner is (0, 0).
    """
    from skimage.measure import approximate_polygon, find_contours

    # A margin of no heat closes what reaches the border.
    contours = find_contours(np.pad(heat, 1), HOT)  # type: ignore[no-untyped-call]
    scale = np.array([heat.shape[1], heat.shape[0]], dtype=np.float64)
    corner = np.array([area.left, area.top]) * (shape[1], shape[0])
    extent = np.array([area.right - area.left, area.bottom - area.top]) * (shape[1], shape[0])
    outlines = []
    for contour in sorted(contours, key=len, reverse=True)[:MOST_OUTLINES]:
        points = approximate_polygon(contour, TOLERANCE)[:, ::-1]  # type: ignore[no-untyped-call]
        if len(points) > 3:
            # Without the margin, from centres of pixels to corners.
            within = np.clip((points - 0.5) / scale, 0, 1)
            outlines.append(corner + within * extent)
    return tuple(outlines)
