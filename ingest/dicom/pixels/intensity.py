"""Images FOR PROCESSING: from what the detector counted to what a film would show."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import DigitalXRayImageStorageForProcessing

from ingest.dicom.numbers import whole_number
from ingest.dicom.pixels.arrays import Array8, Stored, stretch

#: Shares of the pixels that become black and white: raw images have dead and saturated ones.
SHOWN_SHARES = (0.005, 0.995)


def is_for_processing(dataset: Dataset) -> bool:
    """Return whether the values are the detector's, not to be looked at (PS3.3 C.8.11.1.1.1)."""
    intent = str(dataset.get("PresentationIntentType") or "").upper()
    storage = dataset.get("SOPClassUID") == DigitalXRayImageStorageForProcessing
    return intent == "FOR PROCESSING" or (not intent and storage)


def attenuation(values: Stored, counts: npt.NDArray[np.int64], dataset: Dataset) -> Array8:
    """Grey by how much was absorbed, which is what a film shows (PS3.3 C.8.11.3.1.2).

    values: any shape; counts: how often each occurs. Pixel Intensity Relationship LIN is taken to
    its logarithm, any other is one. The sign says whether values rise with the intensity; without
    it MONOCHROME1 says so, since it shows the lowest value as white. Windows are set aside.
    """
    sign = whole_number(dataset, "PixelIntensityRelationshipSign")
    rises = dataset.PhotometricInterpretation == "MONOCHROME1" if sign is None else sign != -1
    low, high = float(values.min()), float(values.max())
    intensity = values - min(low, 0.0) if rises else high - values
    if dataset.get("PixelIntensityRelationship") == "LIN":
        intensity = np.log(intensity.astype(np.float64) + 1)
    absorbed = -intensity.astype(np.float64)
    return stretch(absorbed, _bounds(absorbed, counts))


def _bounds(values: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the values between which the middle of the pixels is."""
    order = np.argsort(values, axis=None)
    ordered = values.reshape(-1)[order]
    shares = np.cumsum(counts.reshape(-1)[order]) / counts.sum()
    low, high = np.searchsorted(shares, SHOWN_SHARES)
    return float(ordered[low]), float(ordered[min(high, ordered.size - 1)])
