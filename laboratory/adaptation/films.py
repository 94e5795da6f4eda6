"""Labelled films of a site, as the frozen networks of an ensemble see them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledFeatures:
    """Films with their labels, (n,) each. labels: 1 is pneumonia. patients: whose they are.

    logits: of the ensemble, before its calibration. features: (n, p), of all members.
    """

    labels: npt.NDArray[np.int64]
    patients: npt.NDArray[np.str_]
    logits: npt.NDArray[np.float64]
    features: npt.NDArray[np.float64]

    def take(self, at: npt.NDArray[np.int64]) -> Self:
        """Take the films of these indices."""
        return type(self)(
            labels=self.labels[at],
            patients=self.patients[at],
            logits=self.logits[at],
            features=self.features[at],
        )
