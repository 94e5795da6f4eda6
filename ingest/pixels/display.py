"""From a file to grey: the whole image as a person would see it, or the film that is scored."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.pixels.arrays import Array8
from ingest.pixels.borders import within_borders, without_borders
from ingest.pixels.dicom import dicom_film, dicom_grey
from ingest.pixels.geometry import with_square_pixels
from ingest.pixels.pictures import picture_grey
from ingest.pixels.samples import samples_of_shades
from ingest.pixels.viewing import Film
from ingest.pixels.window import Window, windowed
from ingest.sniff import kind_of
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.heat import Area
from readfirst.refusals import RefusalCode

#: How pylibjpeg-rle, written in Rust, names its panics: a BaseException of no public class.
PANIC = "PanicException"


@dataclass(frozen=True, slots=True)
class Shown:
    """A grey image, and how many times as high as wide its pixels are."""

    grey: Array8
    pixel_height: float = 1.0


def display_image(path: Path, window: Window | None = None) -> Array8:
    """Decode a DICOM file or a picture for display, every pixel of it.

    window: in place of the film's own. Returns (rows, columns) uint8, 0 is black. Raises Refused if
    the pixels cannot be decoded.
    """
    return _shown(path, None, window).grey


def film_image(path: Path, least_side: int) -> Array8:
    """Decode as much of a file as scoring needs: with square pixels and without black borders.

    least_side: pixels that the shorter side must keep where the encoding can be read at a smaller
    scale. Returns and raises as `display_image`.
    """
    shown = _shown(path, least_side)
    return with_square_pixels(without_borders(shown.grey), shown.pixel_height)


def film_area(path: Path, least_side: int) -> Area:
    """Which part of the whole image `film_image` shows. Raises as `display_image`."""
    grey = _shown(path, least_side).grey
    top, bottom, left, right = within_borders(grey)
    rows, columns = grey.shape
    return Area(top / rows, left / columns, bottom / rows, right / columns)


def viewed_film(path: Path, longest: int | None = None) -> Film:
    """Decode a DICOM file or a picture for a viewer, before any window.

    longest: samples that the longer side must keep where the encoding can be read at a smaller
    scale; None decodes every pixel. Raises as `display_image`.
    """
    kind = kind_of(path)
    with _refusing():
        if kind is FileKind.DICOM:
            return dicom_film(path, longest)
        return Film(samples_of_shades(picture_grey(path, kind)))


def _shown(path: Path, least_side: int | None, window: Window | None = None) -> Shown:
    kind = kind_of(path)
    with _refusing():
        if kind is FileKind.DICOM:
            return Shown(*dicom_grey(path, least_side, window))
        grey = picture_grey(path, kind, least_side)
        return Shown(windowed(grey, window) if window else grey)


@contextmanager
def _refusing() -> Iterator[None]:
    """Let whatever decoders raise be a refusal."""
    try:
        with warnings.catch_warnings():
            # Decoders warn of oddities that they survive.
            warnings.simplefilter("ignore")
            yield
    except Refused:
        raise
    except MemoryError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except Exception as error:
        # Decoders raise whatever they like for broken streams; the kind is in the detail.
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise Refused(RefusalCode.PIXELS_UNREADABLE, PANIC) from error
