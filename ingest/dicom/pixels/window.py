"""The window that somebody asks for, in place of the one that a film brings."""

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from ingest.dicom.pixels.arrays import Array8, stretch


@dataclass(frozen=True, slots=True)
class Window:
    """PS3.3 C.11.2.1.2: centre and width, in what the modality LUT gives. width: at least 1."""

    center: float
    width: float

    @property
    def bounds(self) -> tuple[float, float]:
        """The values that are black and white (PS3.3 C.11.2.1.2.1, LINEAR)."""
        half = (self.width - 1) / 2
        return self.center - 0.5 - half, self.center - 0.5 + half


def ask_for(window: Window, dataset: Dataset) -> None:
    """Let a greyscale data set be shown by this window."""
    dataset.WindowCenter, dataset.WindowWidth = window.center, window.width
    dataset.VOILUTFunction = "LINEAR"
    if "VOILUTSequence" in dataset:
        del dataset.VOILUTSequence


def windowed(grey: Array8, window: Window) -> Array8:
    """A grey image through a window over its 256 shades, for what has no other values."""
    low, high = window.bounds
    if low == high:
        return np.where(grey > low, 255, 0).astype(np.uint8)
    return stretch(grey.astype(np.float64), (low, high))
