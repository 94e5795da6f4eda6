"""Text that is burned into the pixels of a film, found by optical character recognition.

The networks come with the package `rapidocr` and nothing is downloaded. What they find is only ever
compared here: no word of it is kept, logged or printed.
"""

import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ingest.deidentify.boxes import Box
from ingest.dicom.pixels.arrays import Array8
from readfirst.errors import Misconfigured

#: What stands on films and names nobody: sides, projections, postures, in several languages.
MARKERS = frozenset(
    (
        "RT", "LT", "RE", "LI", "DER", "IZQ", "IZDA", "DCHA", "DX", "SX", "AP", "PA", "RL", "LR",
        "LAT", "ERECT", "UPRIGHT", "SUPINE", "SITTING", "STANDING", "SEMI", "PORTABLE", "MOBILE",
        "BED", "LIEGEND", "STEHEND", "SITZEND", "SUPINO", "DECUBITO", "BIPE",
    )
)  # fmt: skip
#: The text of a box is believed from here on: low, as a name that is overlooked costs more.
LEAST_SCORE = 0.3
#: No name is written in letters so high: shares of a film's shorter side.
MOST_HEIGHT = 0.2
#: Films are read at no more than this many pixels of their longer side.
LONGEST_SIDE = 2400
#: So much of its height a box is widened on each side before it is painted over.
MARGIN = 0.3
MISSING = (
    "Text that is burned into films cannot be looked for: rapidocr is not installed. Install it by "
    "`pip install 'readfirst[deidentify]'`, or say --without-text-check, and look at each film "
    "yourself before you pass it on."
)


class TextFinder:
    """Finds burned-in text. Loads its networks once. Raises Misconfigured without `rapidocr`."""

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise Misconfigured(MISSING) from error
        # It speaks of each of its files at its start.
        logging.getLogger("RapidOCR").disabled = True
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": LEAST_SCORE,
                "Global.max_side_len": LONGEST_SIDE,
                # By more, each waits for the others at work: twice the processor time in all.
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def find(self, grey: Array8) -> tuple[Box, ...]:
        """Find text on a film as it is displayed, upright or on its side: boxes with a margin.

        grey: (rows, columns) uint8. Markers of sides, projections and postures are no text.
        """
        upright = self._boxes(grey)
        # Columns of letters are found on a film that is turned, (row, column) → (column, rows - 1 -
        # row), and are then turned back.
        rows = grey.shape[0]
        turned = self._boxes(np.ascontiguousarray(np.rot90(grey, -1)))
        back = [Box(rows - box.right, box.top, rows - box.left, box.bottom) for box in turned]
        return tuple(_widened(box, grey.shape) for box in (*upright, *back))

    def _boxes(self, grey: Array8) -> list[Box]:
        lines = self._engine(np.stack([grey] * 3, axis=-1))
        if lines.boxes is None or lines.txts is None:
            return []
        highest = MOST_HEIGHT * min(grey.shape)
        texts = zip(lines.boxes, lines.txts, strict=True)
        boxes = [_around(corners) for corners, text in texts if not is_marker(text)]
        return [box for box in boxes if min(box.bottom - box.top, box.right - box.left) <= highest]


def is_marker(text: str) -> bool:
    """Return whether a text is only a letter, or words that name a side, projection or posture."""
    words = re.findall(r"\w+", text.upper())
    return all((len(word) == 1 and not word.isdigit()) or word in MARKERS for word in words)


def _around(corners: Sequence[Sequence[float]]) -> Box:
    points = np.asarray(corners)
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    return Box(int(top), int(left), int(bottom), int(right))


def _widened(box: Box, shape: tuple[int, ...]) -> Box:
    by = round(MARGIN * min(box.bottom - box.top, box.right - box.left)) + 1
    return Box(
        max(0, box.top - by),
        max(0, box.left - by),
        min(shape[0], box.bottom + by),
        min(shape[1], box.right + by),
    )
