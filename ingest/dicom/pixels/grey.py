"""Greyscale as its data set asks for: modality LUT, VOI LUT or window, polarity, padding."""

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_windowing

from ingest.dicom.corrections.elements import WINDOW, WINDOW_FUNCTIONS, leave_out_voi
from ingest.dicom.corrections.tables import table_of
from ingest.dicom.numbers import first_number
from ingest.dicom.pixels.arrays import Array8, Stored, stretch
from ingest.dicom.pixels.intensity import attenuation, is_for_processing
from ingest.dicom.pixels.padding import is_padding

#: PS3.3 C.11.2: how values are chosen that are shown; a VOI LUT is taken before a window.
VOI = {"VOILUTSequence": "the VOI LUT", "WindowCenter": "the window"}
#: The least part that either must keep of what the range of the values tells.
LEAST_KEPT = 1 / 3
Shares = npt.NDArray[np.int64]
#: Rows whose values are counted at a time, so that counting needs little memory.
ROWS_AT_A_TIME = 256


def grey_display(pixels: Stored, dataset: Dataset, corrections: list[str] | None = None) -> Array8:
    """Show one greyscale frame as its data set asks.

    pixels: (rows, columns), stored values. corrections: takes what was left aside because it leaves
    nothing of the film; None shows what the data set asks for, whatever it leaves. Returns the same
    shape, uint8, 0 is black. Without a window the range of the values that occur is shown.
    """
    if pixels.itemsize > 2:
        ones = np.ones(pixels.shape, np.int64)
        if corrections is not None:
            corrections += without_useless_voi(pixels, ones, dataset)
        return grey_of(pixels, ones, dataset)
    # Every step goes by value alone: so it is taken once for each value that occurs, not once for
    # each pixel, which is quicker and needs less memory.
    offsets, counts, stored = occurring(pixels)
    if corrections is not None:
        corrections += without_useless_voi(stored, counts[counts > 0], dataset)
    table = np.zeros(counts.size, dtype=np.uint8)
    table[counts > 0] = grey_of(stored, counts[counts > 0], dataset)
    grey: Array8 = table[offsets]
    return grey


def occurring(pixels: Stored) -> tuple[npt.NDArray[np.int32], Shares, Stored]:
    """Count the values of the pixels, by their offset from the lowest one.

    pixels: (rows, columns), of 8 or 16 bits. Returns offsets in the same shape; counts, one for
    each offset up to the highest; and the stored values that occur, in their order and type.
    """
    low = int(pixels.min())
    offsets = np.subtract(pixels, low, dtype=np.int32)
    counts = _counts(offsets)
    return offsets, counts, (np.flatnonzero(counts) + low).astype(pixels.dtype)


def grey_of(stored: Stored, counts: Shares, dataset: Dataset) -> Array8:
    """The grey of stored values, by PS3.3 C.11.1 (modality LUT) and C.11.2 (VOI LUT).

    stored: any shape; counts: how often each occurs, the same shape. Returns the same shape.
    """
    grey = np.zeros(stored.shape, dtype=np.uint8)
    visible = ~is_padding(stored, dataset)
    if visible.any():
        # Padding is background whatever the polarity: black.
        grey[visible] = _grey_without_padding(stored[visible], counts[visible], dataset)
    return grey


def is_inverse(dataset: Dataset) -> bool:
    """Return whether the lowest value is shown white."""
    # PS3.3 C.11.6.1.2: Presentation LUT Shape says it, where it is given …
    shape = dataset.get("PresentationLUTShape")
    if shape in ("IDENTITY", "INVERSE"):
        return bool(shape == "INVERSE")
    # … else PS3.3 C.7.6.3.1.2: MONOCHROME1 shows its lowest value as white.
    return bool(dataset.get("PhotometricInterpretation") == "MONOCHROME1")


def without_useless_voi(stored: Stored, counts: Shares, dataset: Dataset) -> list[str]:
    """Take a VOI LUT or window out of a data set that leaves nothing of the film.

    stored, counts: as in `grey_of`. By it, nearly all pixels are black, or white: so it keeps but a
    small part of what the range of the values shows. Returns what was left aside.
    """
    if is_for_processing(dataset):
        return []
    ranged = Dataset()
    ranged.update(dataset)
    for keyword in VOI:
        leave_out_voi(ranged, keyword)
    corrections = []
    for keyword, name in VOI.items():
        is_used = has_voi_lut(dataset) or (keyword == "WindowCenter" and has_window(dataset))
        if not is_used or (keyword == "WindowCenter" and has_voi_lut(dataset)):
            continue
        if _information(grey_of(stored, counts, dataset), counts) < LEAST_KEPT * _information(
            grey_of(stored, counts, ranged), counts
        ):
            leave_out_voi(dataset, keyword)
            corrections.append(f"{name} leaves nothing of the film")
    return corrections


def _information(grey: Array8, counts: Shares) -> float:
    """Return how much the greys tell of a film, in bits a pixel (Shannon), by steps of 8 greys."""
    shares = np.bincount(grey.reshape(-1) >> 3, counts.reshape(-1)) / counts.sum()
    visible = shares[shares > 0]
    return float(-(visible * np.log2(visible)).sum())


def _grey_without_padding(stored: Stored, counts: Shares, dataset: Dataset) -> Array8:
    values = modality_values(stored, dataset)
    if is_for_processing(dataset):
        return attenuation(values, counts, dataset)
    voi_lut = table_of(dataset, "VOILUTSequence")
    if voi_lut is not None:
        visible, bounds = voi_lut.look_up(values), (0.0, float(2**voi_lut.bits - 1))
    elif has_window(dataset):
        visible, bounds = apply_windowing(values, dataset, index=0), _windowed_range(dataset)
    else:
        visible, bounds = values, (float(values.min()), float(values.max()))
    grey = stretch(np.asarray(visible, dtype=np.float64), bounds)
    return 255 - grey if is_inverse(dataset) else grey


def modality_values(stored: Stored, dataset: Dataset) -> Stored:
    """Return what the modality LUT, or slope and intercept, make of stored values (PS3.3 C.11.1).

    A table that makes one value of all of them is left aside, as a slope of 0 is.
    """
    values: Stored = stored.astype(np.int32)
    table = table_of(dataset, "ModalityLUTSequence")
    if table is None:
        return apply_modality_lut(values, dataset) if has_modality(dataset) else values
    looked_up = table.look_up(values)
    return values if looked_up.min() == looked_up.max() else looked_up


def _counts(offsets: npt.NDArray[np.int32]) -> Shares:
    """Count how often each offset occurs. offsets: (rows, columns), from 0."""
    counts = np.zeros(int(offsets.max()) + 1, dtype=np.int64)
    for start in range(0, len(offsets), ROWS_AT_A_TIME):
        rows = offsets[start : start + ROWS_AT_A_TIME]
        counts += np.bincount(rows.reshape(-1), minlength=counts.size)
    return counts


def has_modality(dataset: Dataset) -> bool:
    """Return whether stored values become others; a slope of 0 is a mistake: it leaves no image."""
    slope = first_number(dataset, "RescaleSlope")
    return table_of(dataset, "ModalityLUTSequence") is not None or bool(slope)


def has_voi_lut(dataset: Dataset) -> bool:
    """Return whether there is a VOI LUT (PS3.3 C.11.2.1.1); an empty sequence is none."""
    return table_of(dataset, "VOILUTSequence") is not None


def has_window(dataset: Dataset) -> bool:
    """Return whether there is a window to show by (PS3.3 C.11.2.1.2).

    One that is empty, has no width or an unknown function is left aside: it is no reason to refuse
    a film.
    """
    center, width = (first_number(dataset, keyword) for keyword in WINDOW)
    if center is None or width is None:
        return False
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    # PS3.3 C.11.2.1.2.1 and C.11.2.1.3: LINEAR, the default, begins at 1; the others above 0.
    if function == "LINEAR":
        return width >= 1
    return function in WINDOW_FUNCTIONS and width > 0


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
