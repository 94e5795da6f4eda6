"""Pictures of a film, by the query of a rendered resource (PS3.18 8.3.5)."""

import io
import math
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException, Request
from PIL import Image as PillowImage

from ingest.dicom.pixels.window import Window
from worklist.dicomweb.documents import query_parameter
from worklist.dicomweb.media_types import MediaType

#: The preferred first: JPEG is the standard's own default.
PICTURES = (MediaType("image/jpeg"), MediaType("image/png"))
QUALITY = 90
#: Bounds of a window, as elsewhere, and of a side in pixels.
MOST_CENTER, MOST_SIDE = 1e6, 65535
PARAMETERS = {
    "window": "Centre, width and function of a window, as `2048,4096,linear`.",
    "viewport": "Most columns and rows, as `512,512`.",
    "quality": f"Of JPEG, 1 to 100. Default: {QUALITY}.",
    "accept": "In place of the header Accept.",
}


@dataclass(frozen=True, slots=True)
class Rendering:
    """The picture that is wanted. window: None for the film's own. most: columns and rows."""

    window: Window | None = None
    most: tuple[int, int] | None = None
    quality: int = QUALITY

    def resized(self, picture: PillowImage.Image) -> PillowImage.Image:
        """The picture, no larger than is wanted, and in its own proportions."""
        if self.most is not None:
            picture.thumbnail(self.most)
        return picture


def read_rendering(request: Request) -> Rendering:
    """Read the query. Raises HTTPException 400."""
    query = request.query_params
    if set(query) - set(PARAMETERS):
        raise HTTPException(400, f"Parameters here are {', '.join(PARAMETERS)}.")
    return Rendering(
        _window(query["window"]) if "window" in query else None,
        _viewport(query["viewport"]) if "viewport" in query else None,
        _quality(query["quality"]) if "quality" in query else QUALITY,
    )


def rendering_parameters() -> dict[str, Any]:
    """The parameters, for the document."""
    text = {"type": "string"}
    return {
        "parameters": [query_parameter(name, text, words) for name, words in PARAMETERS.items()]
    }


def encoded(picture: PillowImage.Image, media_type: str, quality: int = QUALITY) -> bytes:
    """A picture of grey as JPEG or PNG."""
    out = io.BytesIO()
    if media_type == "image/png":
        picture.save(out, "png", compress_level=1)
    else:
        picture.convert("L").save(out, "jpeg", quality=quality)
    return out.getvalue()


def _window(text: str) -> Window:
    parts = text.split(",")
    try:
        window = Window(float(parts[0]), float(parts[1]))
    except (ValueError, IndexError) as error:
        raise HTTPException(400, PARAMETERS["window"]) from error
    is_number = math.isfinite(window.center) and math.isfinite(window.width)
    within = abs(window.center) <= MOST_CENTER and 1 <= window.width <= MOST_CENTER
    if not (is_number and within) or parts[2:] not in ([], ["linear"]):
        raise HTTPException(400, f"{PARAMETERS['window']} The only function is linear.")
    return window


def _viewport(text: str) -> tuple[int, int]:
    sides = text.split(",")
    if len(sides) != 2 or not all(_is_side(side) for side in sides):
        raise HTTPException(400, PARAMETERS["viewport"])
    return int(sides[0]), int(sides[1])


def _is_side(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST_SIDE


def _quality(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100):
        raise HTTPException(400, PARAMETERS["quality"])
    return int(text)
