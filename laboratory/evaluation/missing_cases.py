"""Cases of each class that a fit lacks, and the words for them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


def missing(labels: npt.NDArray[np.int64], least: int) -> dict[str, int]:
    """Count the cases that each class lacks, by its name; empty if none does. labels: (n,)."""
    present = {"pneumonia": int(labels.sum()), "no pneumonia": int((labels == 0).sum())}
    return {name: least - count for name, count in present.items() if count < least}


def missing_text(lacking: Mapping[str, int]) -> str:
    """Write the numbers of cases that are missing, as `3 more of pneumonia`."""
    return " and ".join(f"{count} more of {name}" for name, count in lacking.items())
