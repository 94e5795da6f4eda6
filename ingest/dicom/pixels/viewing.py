"""A film for a viewer: samples before the window, and all that is needed to show and measure it."""

from dataclasses import dataclass, field, replace
from typing import Any

from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue

from ingest.dicom.attributes import text
from ingest.dicom.corrections.elements import WINDOW_FUNCTIONS
from ingest.dicom.numbers import numbers
from ingest.dicom.overlays import overlays_of
from ingest.dicom.pixels.geometry import measured, pixel_height
from ingest.dicom.pixels.grey import has_voi_lut, has_window
from ingest.dicom.pixels.samples import Samples, reduced
from ingest.dicom.syntaxes import lossy_compression

#: More windows than that are no choice; and a name longer than that is no name.
MOST_WINDOWS, LONGEST_NAME = 8, 40


@dataclass(frozen=True, slots=True)
class NamedWindow:
    """A window that a film brings, in what the modality LUT gives (PS3.3 C.11.2.1.2)."""

    center: float
    width: float
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFacts:
    """The facts that a viewer must know of a film beside its samples."""

    #: Of the film, in pixels; and of the samples, each of which is `scale` pixels wide and high.
    rows: int
    columns: int
    sample_rows: int
    sample_columns: int
    scale: int
    #: Of a sample: 8 or 16, little endian.
    bits: int
    #: How many samples the table of greys goes up to: its length in bytes.
    table_length: int
    slope: float
    intercept: float
    padded: bool
    #: The window that is, or comes nearest to, how the film itself asks to be shown.
    center: float
    width: float
    #: By which the film's windows go: `LINEAR`, `LINEAR_EXACT` or `SIGMOID`.
    function: str = "LINEAR"
    windows: tuple[NamedWindow, ...] = ()
    #: How many times as high as wide a pixel is.
    pixel_height: float = 1.0
    #: Distance between rows and between columns in mm, and where it was measured.
    spacing: tuple[float, float] | None = None
    spacing_at: str | None = None
    #: Of the file; the first is shown.
    frames: int = 1
    #: Image Laterality, or Laterality, as the header states it; empty where it does not.
    laterality: str = ""
    #: As `lossy JPEG, 12:1`; empty where nothing says that detail was lost.
    lossy: str = ""
    #: Overlays that can be drawn over the film, and others that cannot.
    overlays: int = 0
    overlays_not_shown: int = 0


@dataclass(frozen=True, slots=True)
class ViewerFilm:
    """A film as a viewer takes it.

    scale: pixels of the film that one sample is wide and high. header_facts: by the names of
    `FilmFacts`, what the header says; without the size, it is that of the samples.
    """

    samples: Samples
    scale: int = 1
    header_facts: dict[str, Any] = field(default_factory=dict)


def no_longer_than(film: ViewerFilm, longest: int | None) -> ViewerFilm:
    """Return the film at such a scale that its longer side has at most so many samples."""
    if longest is None:
        return film
    values, side = reduced(film.samples.values, longest)
    rows, columns = film.samples.values.shape
    size = {"rows": rows * film.scale, "columns": columns * film.scale}
    return ViewerFilm(
        replace(film.samples, values=values), film.scale * side, size | film.header_facts
    )


def facts_of(film: ViewerFilm) -> FilmFacts:
    """Return the facts that go with the samples."""
    samples = film.samples
    rows, columns = samples.values.shape
    size = {"rows": rows * film.scale, "columns": columns * film.scale}
    center, width = window_of_table(samples)
    return FilmFacts(
        **{"center": center, "width": width} | size | film.header_facts,
        sample_rows=rows,
        sample_columns=columns,
        scale=film.scale,
        bits=8 * samples.values.itemsize,
        table_length=len(samples.table),
        slope=samples.slope,
        intercept=samples.intercept,
        padded=samples.padded,
    )


def window_of_table(samples: Samples) -> tuple[float, float]:
    """Return centre and width of the window between the table's last black and first white."""
    first = int(samples.padded)
    greys = samples.table[first:]
    dark = first + int((greys == greys.min()).nonzero()[0][-1])
    bright = first + int((greys == greys.max()).nonzero()[0][0])
    black, white = (samples.slope * sample + samples.intercept for sample in (dark, bright))
    # PS3.3 C.11.2.1.2.1: black up to c - 0.5 - (w - 1) / 2, white above c - 0.5 + (w - 1) / 2.
    return (black + white + 1) / 2, abs(white - black) + 1


def header_facts(dataset: FileDataset, *, has_values: bool) -> dict[str, Any]:
    """Read what the header says of how to show and measure the film.

    has_values: windows are meant for its samples; shades have none of their own.
    """
    spacing, at = measured(dataset)
    overlays = overlays_of(dataset)
    facts: dict[str, Any] = {
        "laterality": text(dataset, "ImageLaterality") or text(dataset, "Laterality") or "",
        "lossy": lossy_compression(dataset, dataset.file_meta.get("TransferSyntaxUID")),
        "overlays": len(overlays.planes),
        "overlays_not_shown": overlays.not_shown,
        "rows": int(dataset.Rows),
        "columns": int(dataset.Columns),
        "pixel_height": pixel_height(dataset),
        "spacing": spacing,
        "spacing_at": at,
    }
    if not has_values:
        return facts
    windows = _windows(dataset)
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    facts |= {
        "windows": windows,
        "function": function if function in WINDOW_FUNCTIONS else "LINEAR",
    }
    if windows and has_window(dataset) and not has_voi_lut(dataset):
        facts |= {"center": windows[0].center, "width": windows[0].width}
    return facts


def _windows(dataset: Dataset) -> tuple[NamedWindow, ...]:
    """Read the film's windows that can be shown by (PS3.3 C.11.2.1.2), the first of them first."""
    centers, widths = (numbers(dataset, keyword) for keyword in ("WindowCenter", "WindowWidth"))
    names = _listed(dataset.get("WindowCenterWidthExplanation"))
    windows = []
    for index, (center, width) in enumerate(zip(centers, widths, strict=False)):
        name = str(names[index])[:LONGEST_NAME] if index < len(names) else ""
        if center is not None and width is not None and width >= 1:
            windows.append(NamedWindow(center, width, name))
    return tuple(windows[:MOST_WINDOWS])


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, MultiValue) else [value]
