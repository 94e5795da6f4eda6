"""Grey images of files: the whole as a person would see it, or the film that is scored."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.dicom.pixels.arrays import Array8, Stored
from ingest.dicom.pixels.borders import within_borders, without_borders
from ingest.dicom.pixels.dicom import dicom_film, dicom_grey, dicom_values
from ingest.dicom.pixels.geometry import with_square_pixels
from ingest.dicom.pixels.pictures import picture_grey
from ingest.dicom.pixels.samples import samples_of_shades
from ingest.dicom.pixels.viewing import ViewerFilm
from ingest.dicom.pixels.window import Window, windowed
from ingest.dicom.sniff import kind_of
from ingest.dicom.syntaxes import lossy_picture
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.heat_maps import Area
from readfirst.refusals import RefusalCode

#: How pylibjpeg-rle, written in Rust, names its panics: a BaseException of no public class.
PANIC = "PanicException"
#: The message of one that got no memory for its result from Python.
NO_MEMORY = "Python API call failed"


@dataclass(frozen=True, slots=True)
class GreyImage:
    """A grey image, and how many times as high as wide its pixels are.

    corrections: what of the header did not fit the pixels, or could not be read, and was set right
    or left aside, in words.
    """

    grey: Array8
    pixel_height: float = 1.0
    corrections: tuple[str, ...] = ()


def display_image(path: Path, window: Window | None = None) -> Array8:
    """Decode a DICOM file or a picture for display, every pixel of it.

    window: in place of the film's own. Returns (rows, columns) uint8, 0 is black. Raises Refused if
    the pixels cannot be decoded.
    """
    return _grey_image(path, None, window).grey


def film_image(path: Path, least_side: int) -> Array8:
    """Decode as much of a file as scoring needs: with square pixels and without black borders.

    least_side: pixels that the shorter side must keep where the encoding can be read at a smaller
    scale. Returns and raises as `display_image`.
    """
    return corrected_film(path, least_side)[0]


def corrected_film(path: Path, least_side: int) -> tuple[Array8, tuple[str, ...]]:
    """Decode as `film_image` does, and return also what of the header was set right, in words."""
    image = _grey_image(path, least_side)
    film = with_square_pixels(without_borders(image.grey), image.pixel_height)
    return film, image.corrections


def film_area(path: Path, least_side: int) -> Area:
    """Return the part of the whole image that `film_image` shows. Raises as `display_image`."""
    grey = _grey_image(path, least_side).grey
    top, bottom, left, right = within_borders(grey)
    rows, columns = grey.shape
    return Area(top / rows, left / columns, bottom / rows, right / columns)


def viewed_film(path: Path, longest: int | None = None) -> ViewerFilm:
    """Decode a DICOM file or a picture for a viewer, before any window.

    longest: samples that the longer side must keep where the encoding can be read at a smaller
    scale; None decodes every pixel. Raises as `display_image`.
    """
    kind = kind_of(path)
    with refusing():
        if kind is FileKind.DICOM:
            return dicom_film(path, longest)
        facts = {"lossy": lossy_picture(kind)}
        return ViewerFilm(samples_of_shades(picture_grey(path, kind)), header_facts=facts)


def stored_values(path: Path) -> Stored:
    """Decode the stored values of a DICOM file. Raises as `display_image`."""
    with refusing():
        return dicom_values(path)


def _grey_image(path: Path, least_side: int | None, window: Window | None = None) -> GreyImage:
    kind = kind_of(path)
    with refusing():
        if kind is FileKind.DICOM:
            return GreyImage(*dicom_grey(path, least_side, window))
        grey = picture_grey(path, kind, least_side)
        return GreyImage(windowed(grey, window) if window else grey)


@contextmanager
def refusing() -> Iterator[None]:
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
        if NO_MEMORY in str(error):
            raise Refused(RefusalCode.TOO_LARGE) from MemoryError()
        raise Refused(RefusalCode.PIXELS_UNREADABLE, PANIC) from error
