"""From a file to the image that a person would see: 8-bit grey, 0 is black."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image, ImageOps
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

from ingest.header import refuse_unsupported
from ingest.sniff import kind_of
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

Array8 = npt.NDArray[np.uint8]
#: ITU-R BT.601, as Pillow weighs red, green and blue.
LUMA = (0.299, 0.587, 0.114)


def display_image(path: Path) -> Array8:
    """Decode a DICOM, JPEG or PNG file for display.

    Returns (rows, columns) uint8, 0 is black. Raises Refused if the pixels cannot be decoded.
    """
    kind = kind_of(path)
    try:
        with warnings.catch_warnings():
            # Decoders warn of oddities that they survive.
            warnings.simplefilter("ignore")
            return dicom_display(path) if kind is FileKind.DICOM else picture_display(path, kind)
    except Refused:
        raise
    except MemoryError as error:
        raise Refused(RefusalCode.TOO_LARGE) from error
    except Exception as error:
        # Decoders raise whatever they like for broken streams; the kind is in the detail.
        raise Refused(RefusalCode.PIXELS_UNREADABLE, type(error).__name__) from error


def picture_display(path: Path, kind: FileKind) -> Array8:
    """Decode a JPEG or PNG: upright by its EXIF orientation, transparent parts black."""
    with Image.open(path, formats=[kind.value]) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            return _deep_grey(np.asarray(upright))
        if upright.mode in ("LA", "PA", "RGBA"):
            upright = _over_black(upright)
        return np.asarray(upright.convert("L"))


def dicom_display(path: Path) -> Array8:
    """Decode a DICOM image: modality LUT, then VOI LUT or window, then polarity."""
    with path.open("rb") as file:
        refuse_unsupported(file)
        dataset = pydicom.dcmread(file, force=True)
    pixels = _stored_pixels(path, dataset)
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
        return stretch(to_grey(pixels), (0, np.iinfo(pixels.dtype).max))
    if pixels.ndim == 3:
        return stretch(to_grey(pixels), (0, 2 ** int(dataset.BitsStored) - 1))
    return grey_display(pixels, dataset)


def grey_display(pixels: npt.NDArray[Any], dataset: Dataset) -> Array8:
    """Show one greyscale frame as its data set asks.

    pixels: (rows, columns), stored values. Returns the same shape, uint8, 0 is black. Without a
    window the range of the values that occur is shown.
    """
    if pixels.itemsize > 2:
        return _grey_of(pixels, dataset)
    # Every step goes by value alone: so it is taken once for each value that occurs, not once for
    # each pixel, which is quicker and needs less memory.
    low = int(pixels.min())
    place = np.subtract(pixels, low, dtype=np.int32)
    occurs = np.zeros(int(place.max()) + 1, dtype=bool)
    occurs[place] = True
    stored = np.flatnonzero(occurs)
    table = np.zeros(occurs.size, dtype=np.uint8)
    table[stored] = _grey_of((stored + low).astype(pixels.dtype), dataset)
    grey: Array8 = table[place]
    return grey


def _grey_of(stored: npt.NDArray[Any], dataset: Dataset) -> Array8:
    """The grey of stored values, by PS3.3 C.11.1 (modality LUT) and C.11.2 (VOI LUT)."""
    values = apply_modality_lut(stored, dataset)
    shown = values
    if _has_voi_lut(dataset) or _has_window(dataset):
        shown = apply_voi_lut(values, dataset, index=0)
    grey = stretch(np.asarray(shown, dtype=np.float64), _output_range(values, dataset))
    return 255 - grey if is_inverse(dataset) else grey


def is_inverse(dataset: Dataset) -> bool:
    """Whether the lowest value is shown white."""
    # PS3.3 C.11.6.1.2: Presentation LUT Shape says it, where it is given …
    shape = dataset.get("PresentationLUTShape")
    if shape in ("IDENTITY", "INVERSE"):
        return bool(shape == "INVERSE")
    # … else PS3.3 C.7.6.3.1.2: MONOCHROME1 shows its lowest value as white.
    return bool(dataset.get("PhotometricInterpretation") == "MONOCHROME1")


def stretch(values: npt.NDArray[np.float64], bounds: tuple[float, float]) -> Array8:
    """Map bounds to 0 and 255, and clip what lies outside. Equal bounds give black."""
    low, high = bounds
    scale = 255.0 / (high - low) if high != low else 0.0
    return np.clip(np.rint((values - low) * scale), 0, 255).astype(np.uint8)


def to_grey(colours: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Luma of RGB. colours: (rows, columns, 3 or 4); returns (rows, columns)."""
    grey: npt.NDArray[np.float64] = colours[..., :3].astype(np.float64) @ np.array(LUMA)
    return grey


def _stored_pixels(path: Path, dataset: Dataset) -> npt.NDArray[Any]:
    """The first frame as it is stored: (rows, columns), or (rows, columns, 3) in colour."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax == JPEGExtended12Bit and dataset.BitsAllocated == 16:
        return _gdcm_pixels(path, dataset)
    return pixel_array(dataset, index=0)


def _gdcm_pixels(path: Path, dataset: Dataset) -> npt.NDArray[np.uint16]:
    """12-bit extended JPEG, which pydicom hands to no decoder, by GDCM itself."""
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        raise ValueError("GDCM cannot read the image")
    # GDCM's binding gives bytes as text.
    buffer = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(buffer, dtype="<u2").reshape(dataset.Rows, dataset.Columns)


def _output_range(values: npt.NDArray[Any], dataset: Dataset) -> tuple[float, float]:
    """What is to be black and white: the window's output range, else the values that occur."""
    if _has_voi_lut(dataset):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return 0.0, float(2**bits - 1)
    if _has_window(dataset):
        return _windowed_range(dataset)
    return float(values.min()), float(values.max())


def _has_voi_lut(dataset: Dataset) -> bool:
    """Whether there is a VOI LUT to show by (PS3.3 C.11.2.1.1); an empty sequence is none."""
    items = dataset.get("VOILUTSequence")
    return bool(items) and None not in (items[0].get("LUTDescriptor"), items[0].get("LUTData"))


def _has_window(dataset: Dataset) -> bool:
    """Whether there is a window to show by (PS3.3 C.11.2.1.2).

    One that is empty, has no width or an unknown function is left aside: it is no reason to refuse
    a film.
    """
    center, width = _first(dataset, "WindowCenter"), _first(dataset, "WindowWidth")
    if center is None or width is None:
        return False
    function = str(dataset.get("VOILUTFunction", "LINEAR")).upper()
    # PS3.3 C.11.2.1.2.1 and C.11.2.1.3: LINEAR, the default, begins at 1; the others above 0.
    if function == "LINEAR":
        return width >= 1
    return function in ("LINEAR_EXACT", "SIGMOID") and width > 0


def _first(dataset: Dataset, keyword: str) -> float | None:
    """The first of one or several numbers; None if there is none."""
    value = dataset.get(keyword)
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    return None if value is None else float(value)


def _windowed_range(dataset: Dataset) -> tuple[float, float]:
    """The range into which pydicom windows: that of the stored values, through the modality LUT.

    PS3.3 C.11.2.1.2 leaves the output range to the display, so this follows `apply_windowing`.
    """
    bits = int(dataset.BitsStored)
    if dataset.get("ModalityLUTSequence"):
        low, high = 0, 2 ** int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    elif dataset.PixelRepresentation:
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    else:
        low, high = 0, 2**bits - 1
    if dataset.get("RescaleSlope") is not None and dataset.get("RescaleIntercept") is not None:
        slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
        return low * slope + intercept, high * slope + intercept
    return float(low), float(high)


def _deep_grey(values: npt.NDArray[Any]) -> Array8:
    """Show a picture of more than 8 bits by the bits that it uses: 12 of 16 is common."""
    bits = max(8, int(values.max()).bit_length())
    return stretch(values.astype(np.float64), (0, 2**bits - 1))


def _over_black(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
