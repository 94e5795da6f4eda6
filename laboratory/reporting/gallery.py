"""Films side by side, as on a light box."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from laboratory.reporting.curves import Array
from laboratory.reporting.figures import empty_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIGHT_BOX, LIGHT_BOX_INK = "#0f1418", "#dfe6ec"
GALLERY_SIZE = 12
GALLERY_COLUMNS = 6
#: Longer side of a film in a gallery, in pixels.
GALLERY_FILM = 256
CAPTION_LENGTH = 31


def gallery(paths: Sequence[Path], probabilities: Sequence[float]) -> "Figure":
    """Up to twelve films with their file names and probabilities, on a dark ground.

    paths, probabilities: (n,); the first twelve are shown. Raises ValueError if there are none.
    """
    films = list(zip(paths, probabilities, strict=True))[:GALLERY_SIZE]
    if not films:
        raise ValueError("no film to show")
    columns = min(len(films), GALLERY_COLUMNS)
    rows = math.ceil(len(films) / columns)
    figure = empty_figure(2.0 * columns, 2.35 * rows)
    figure.set_facecolor(LIGHT_BOX)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (path, probability) in zip(panels, films, strict=False):
        axes.imshow(_film(path), cmap="gray", vmin=0, vmax=255)
        axes.set_title(
            f"{plain(_shortened(path.name))}\n{probability:.3f}", color=LIGHT_BOX_INK, fontsize=7
        )
    return figure


def _shortened(name: str) -> str:
    if len(name) <= CAPTION_LENGTH:
        return name
    half = (CAPTION_LENGTH - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _film(path: Path) -> Array:
    """The film, small: (h, w) in 0 … 255."""
    with Image.open(path) as image:
        grey = image.convert("L")
    grey.thumbnail((GALLERY_FILM, GALLERY_FILM))
    return np.asarray(grey, dtype=np.float64)
