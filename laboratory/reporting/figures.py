"""Style of every figure of a report, and its conversion to a part of a page."""

import base64
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, LINE = "#17212b", "#55626f", "#dfe3e7"
#: Okabe and Ito's colours, apart for every kind of colour vision.
BLUE, VERMILION, GREEN = "#0072b2", "#d55e00", "#009e73"
PURPLE, ORANGE, SKY = "#cc79a7", "#e69f00", "#56b4e9"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
DASHES = ("-", "--", "-.", ":")
#: Colour → the CSS variable that stands for it on a page, so that a plot follows its theme.
THEME = {
    INK: "--text",
    SOFT: "--soft",
    LINE: "--line",
    BLUE: "--blue",
    VERMILION: "--vermilion",
    GREEN: "--green",
    PURPLE: "--purple",
    ORANGE: "--orange",
    SKY: "--sky",
}


def as_svg(figure: "Figure", prefix: str) -> str:
    """The figure as an element of an HTML page, in the theme's colours.

    prefix: begins every id, so that no two figures of a page share one. The same figure and
    prefix always give the same text; nothing in it points elsewhere.
    """
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{prefix}-", text)
    for colour, variable in THEME.items():
        text = text.replace(colour, f"var({variable})")
    return text.strip()


def as_png(figure: "Figure") -> str:
    """The figure as a `data:` address, for the `src` of an image."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def empty_figure(width: float, height: float) -> "Figure":
    """A figure without axes; sides in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def calm_figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """A figure with one pair of axes; sides in inches."""
    figure = empty_figure(width, height)
    return figure, calm(figure.subplots())


def calm_row(
    count: int,
    width: float,
    height: float,
    *,
    stacked: bool = False,
    shares: Sequence[float] | None = None,
) -> "tuple[Figure, list[Axes]]":
    """A figure with panels side by side, or stacked over one axis. shares: of their sizes."""
    figure = empty_figure(width, height)
    if stacked:
        panels = figure.subplots(count, 1, sharex=True, height_ratios=shares)
    else:
        panels = figure.subplots(1, count, width_ratios=shares)
    return figure, [calm(axes) for axes in panels]


def calm(axes: "Axes") -> "Axes":
    """The axes with no more ink than they need."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(SOFT)
    axes.tick_params(colors=SOFT, labelcolor=INK, labelsize=9)
    axes.tick_params(which="minor", length=0)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)
    axes.grid(color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of a series, by its index."""
    return {
        "color": PALETTE[index % len(PALETTE)],
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": 1.6,
    }


def point_style(index: int) -> dict[str, Any]:
    """Colour and shape of a point, by its index."""
    return {
        "color": PALETTE[index % len(PALETTE)],
        "marker": "o",
        "markersize": 7,
        "markeredgecolor": INK,
        "markeredgewidth": 0.8,
        "linestyle": "none",
        "zorder": 5,
    }


def legend(axes: "Axes", **options: Any) -> None:
    """Name the series, without a frame."""
    axes.legend(frameon=False, labelcolor=INK, fontsize=9, **options)


def plain(text: str) -> str:
    """The text with no formula in it for Matplotlib."""
    return text.replace("$", r"\$")
