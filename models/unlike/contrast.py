"""The contrast of two distances: to the validated films, and to films of other people.

With one covariance for both, the difference of the two squared Mahalanobis distances is a weighted
sum of the features (Fisher 1936; as a measure of unlikeness: Ren et al. 2021, arXiv 2106.09022).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from models.digests import file_sha256
from readfirst.errors import Misconfigured


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Weights of the features, (d,) float32, and the intercept of their sum."""

    weights: npt.NDArray[np.float32]
    intercept: float

    def of(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Compute the contrast of films, (n,); above 0 is nearer to other people.

        features: (n, d).
        """
        sums: npt.NDArray[np.float64] = features.astype(np.float64) @ self.weights
        return sums + self.intercept


def save_contrast(contrast: Contrast, path: Path) -> str:
    """Write a contrast. Returns the file's sha256."""
    tensors: dict[str, np.ndarray] = {
        "weights": contrast.weights.astype(np.float32),
        "intercept": np.array([contrast.intercept], dtype=np.float64),
    }
    save_file(tensors, path)
    return file_sha256(path)


def load_contrast(path: Path, features: int) -> Contrast:
    """Read a contrast of so many features. Raises Misconfigured if the file holds none."""
    try:
        tensors = load_file(path)
        contrast = Contrast(tensors["weights"], float(tensors["intercept"][0]))
    except (OSError, SafetensorError, KeyError, IndexError) as error:
        raise Misconfigured(f"{path} holds no contrast: {error}") from error
    if contrast.weights.shape != (features,):
        raise Misconfigured(f"{path} holds the contrast of another layer.")
    return contrast
