"""Greyscale as its data set asks for: modality LUT, VOI LUT or window, polarity, padding."""

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from ingest.pixels.arrays import Array8, Stored, stretch
from ingest.pixels.intensity import attenuation, is_for_processing
from ingest.pixels.padding import is_padding

#: PS3.3 C.11.2.1.2 and C.11.2.1.3: how a window turns values into grey.
WINDOW_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
Shares = npt.NDArray[np.int64]
#: Rows whose values are counted at a time, so that counting needs little memory.
ROWS_AT_A_TIME = 256


def grey_display(pixels: Stored, dataset: Dataset) -> Array8:
    """Show one greyscale frame as its data set asks.

    pixels: (rows, columns), stored values. Returns the same shape, uint8, 0 is black. Without a
    window the range of the values that occur is shown.
    """
    if pixels.itemsize > 2:
        return grey_of(pixels, np.ones(pixels.shape, np.int64), dataset)
    # Every step goes by value alone: so it is taken once for each value that occurs, not once for
    # each pixel, which is quicker and needs less memory.
    place, counts, stored = occurring(pixels)
    table = np.zeros(counts.size, dtype=np.uint8)
    table[counts > 0] = grey_of(stored, counts[counts > 0], dataset)
    grey: Array8 = table[place]
    return grey


def occurring(pixels: Stored) -> tuple[npt.NDArray[np.int32], Shares, Stored]:
    """Each pixel's place above the lowest value, how often each place occurs, and their values.

    pixels: (rows, columns), of 8 or 16 bits. Returns places in the same shape; counts, one for each
    place up to the highest; and the stored values that occur, in their order and type.
    """
    low = int(pixels.min())
    place = np.subtract(pixels, low, dtype=np.int32)
    counts = _counts(place)
    return place, counts, (np.flatnonzero(counts) + low).astype(pixels.dtype)


def grey_of(stored: Stored, counts: Shares, dataset: Dataset) -> Array8:
    """The grey of stored values, by PS3.3 C.11.1 (modality LUT) and C.11.2 (VOI LUT).

    stored: any shape; counts: how often each occurs, the same shape. Returns the same shape.
    """
    grey = np.zeros(stored.shape, dtype=np.uint8)
    shown = ~is_padding(stored, dataset)
    if shown.any():
        # Padding is background whatever the polarity: black.
        grey[shown] = _grey_without_padding(stored[shown], counts[shown], dataset)
    return grey


def is_inverse(dataset: Dataset) -> bool:
    """Whether the lowest value is shown white."""
    # PS3.3 C.11.6.1.2: Presentation LUT Shape says it, where it is given …
    shape = dataset.get("PresentationLUTShape")
    if shape in ("IDENTITY", "INVERSE"):
        return bool(shape == "INVERSE")
    # … else PS3.3 C.7.6.3.1.2: MONOCHROME1 shows its lowest value as white.
    return bool(dataset.get("PhotometricInterpretation") == "MONOCHROME1")


def _grey_without_padding(stored: Stored, counts: Shares, dataset: Dataset) -> Array8:
    values = stored.astype(np.int32)
    if has_modality(dataset):
        values = apply_modality_lut(values, dataset)
    if is_for_processing(dataset):
        return attenuation(values, counts, dataset)
    shown = values
    if has_voi_lut(dataset) or has_window(dataset):
        shown = apply_voi_lut(_looked_up(values, dataset), dataset, index=0)
    grey = stretch(np.asarray(shown, dtype=np.float64), _output_range(values, dataset))
    return 255 - grey if is_inverse(dataset) else grey


def _counts(place: npt.NDArray[np.int32]) -> Shares:
    """How often each place of a table is meant. place: (rows, columns), from 0."""
    counts = np.zeros(int(place.max()) + 1, dtype=np.int64)
    for start in range(0, len(place), ROWS_AT_A_TIME):
        rows = place[start : start + ROWS_AT_A_TIME]
        counts += np.bincount(rows.reshape(-1), minlength=counts.size)
    return counts


def _looked_up(values: Stored, dataset: Dataset) -> Stored:
    """Values as a VOI LUT wants them: whole numbers (PS3.3 C.11.2.1.1) of any size."""
    return np.rint(values).astype(np.int32) if has_voi_lut(dataset) else values


def has_modality(dataset: Dataset) -> bool:
    """Whether stored values become others; a slope of 0 would leave no image and is a mistake."""
    return bool(dataset.get("ModalityLUTSequence")) or bool(_first(dataset, "RescaleSlope"))


def _output_range(values: Stored, dataset: Dataset) -> tuple[float, float]:
    """What is to be black and white: the window's output range, else the values that occur."""
    if has_voi_lut(dataset):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return 0.0, float(2**bits - 1)
    if has_window(dataset):
        return _windowed_range(dataset)
    return float(values.min()), float(values.max())


def has_voi_lut(dataset: Dataset) -> bool:
    """Whether there is a VOI LUT to show by (PS3.3 C.11.2.1.1); an empty sequence is none."""
    items = dataset.get("VOILUTSequence")
    return bool(items) and None not in (items[0].get("LUTDescriptor"), items[0].get("LUTData"))


def has_window(dataset: Dataset) -> bool:
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
    return function in WINDOW_FUNCTIONS and width > 0


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
