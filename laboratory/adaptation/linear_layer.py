"""A linear layer over frozen features that begins at what the ensemble says already.

The logit of an adapted ensemble is slope x old logit + intercept + change x features. Slope and
intercept are Platt's scaling, and as free as there. The change is held near zero by a ridge, so
with few films, or features that tell nothing, the ensemble stays what it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.adaptation.films import LabelledFeatures
from laboratory.evaluation.metrics import log_losses
from laboratory.evaluation.patient_folds import patient_folds
from laboratory.evaluation.threshold_selection import calibrate
from models.combining import calibrated, sigmoid
from models.manifest import PlattScaling

Array = npt.NDArray[np.float64]
#: Strengths that are tried. At 0 nothing but Platt's scaling is left.
STRENGTHS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
#: Directions of the features that may change, at most: those in which films differ most.
MOST_DIRECTIONS = 256
#: Of the ridge, as of `calibrate`: it hardly holds what is not scaled down.
INVERSE_RIDGE = 10.0
#: Of the cross-validation that chooses the strength, within the patients that are fitted to.
INNER_FOLDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class LinearLayer:
    """A change of the last units of all members, as they are combined.

    scaling: of the logits that they gave. change: (p,), for each feature, as far as that is from
    centre, (p,). strength: by which the change was fitted; 0 where nothing but the scaling is.
    """

    scaling: PlattScaling
    change: Array
    centre: Array
    strength: float

    def logits(self, films: LabelledFeatures) -> Array:
        """Logits of films: (n,)."""
        scaled = calibrated(films.logits, self.scaling)
        return scaled + (films.features - self.centre) @ self.change

    def rescaled(self, again: PlattScaling) -> "LinearLayer":
        """The layer whose logits are scaled once more."""
        return LinearLayer(
            scaling=self.scaling.then(again),
            change=again.slope * self.change,
            centre=self.centre,
            strength=self.strength,
        )


def without_change(scaling: PlattScaling, features: int) -> LinearLayer:
    """The layer that scales logits, and does nothing besides."""
    return LinearLayer(scaling, np.zeros(features), np.zeros(features), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class ChosenLayer:
    """A layer whose strength was chosen. held_out: (n,), logits of the films, each by a layer of
    that strength which never saw its patient, on the scale of the layer.
    """

    layer: LinearLayer
    held_out: Array


def fit_layers(films: LabelledFeatures, strengths: Sequence[float]) -> dict[float, LinearLayer]:
    """Fit slope, intercept and change to films of both classes, once for each strength.

    strength: how far the features may move the logit; each is brought to unit variance first.
    """
    from sklearn.linear_model import LogisticRegression

    axes = _principal_axes(films.features)
    coordinates = (films.features - axes.mean) @ axes.of_features
    layers = {}
    for strength in strengths:
        columns = np.column_stack([films.logits, strength * coordinates])
        fitted = LogisticRegression(C=INVERSE_RIDGE, max_iter=1000).fit(columns, films.labels)
        slope, *weights = fitted.coef_[0]
        change = axes.of_features @ (strength * np.asarray(weights))
        scaling = PlattScaling(slope=float(slope), intercept=float(fitted.intercept_[0]))
        layers[strength] = LinearLayer(scaling, change, axes.mean, strength)
    return layers


@dataclass(frozen=True, slots=True, eq=False)
class _Axes:
    """The directions in which films differ most. mean: (p,). of_features: (p, directions)."""

    mean: Array
    of_features: Array


def _principal_axes(features: Array) -> _Axes:
    """Find the directions of features, (n, p), that have unit variance each and share a length.

    A ridge does not notice that axes are turned; so these are as good as the features, and fewer.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    # A feature that never changes stays out.
    scale = np.divide(1 / np.sqrt(len(mean)), spread, where=spread > 0, out=np.zeros(len(mean)))
    films = (features - mean) * scale
    few = len(films) < len(mean)
    values, vectors = np.linalg.eigh(films @ films.T if few else films.T @ films)
    kept = np.flatnonzero(values > values[-1] * 1e-9)[-MOST_DIRECTIONS:]
    axes = vectors[:, kept]
    if few:
        axes = films.T @ (axes / np.sqrt(values[kept]))
    return _Axes(mean, scale[:, np.newaxis] * axes)


def choose_layer(
    films: LabelledFeatures, seed: int, strengths: Sequence[float] = STRENGTHS
) -> ChosenLayer:
    """Fit a layer of the strength that does best on patients it was not fitted to.

    What it says of films that it was fitted to is too sure; so its logits are scaled as suits
    those that it gives of other patients. Raises Misconfigured if patients are too few.
    """
    by_strength = {strength: np.zeros(len(films.labels)) for strength in strengths}
    for others, fold in patient_folds(films.labels, films.patients, seed, INNER_FOLDS):
        for strength, layer in fit_layers(films.take(others), strengths).items():
            by_strength[strength][fold] = layer.logits(films.take(fold))
    losses = {
        strength: float(log_losses(films.labels, sigmoid(logits)).mean())
        for strength, logits in by_strength.items()
    }
    best = min(losses, key=losses.__getitem__)
    again = calibrate(by_strength[best], films.labels)
    layer = fit_layers(films, [best])[best].rescaled(again)
    return ChosenLayer(layer, calibrated(by_strength[best], again))
