"""LIME: which superpixels of a film speak for pneumonia, and which against (Ribeiro et al. 2016).

Nothing need be known of what predicts. Superpixels are painted over at random, and a linear model
of which of them are left explains the predictions near the film.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.combining import logit
from models.preprocessing import Array8

#: Samples, unless asked for others; the study that this follows took 2,000.
SAMPLES = 500
#: Superpixels asked of SLIC (Achanta et al. 2012), which gives about as many.
SEGMENTS = 60
#: SLIC's weight of nearness against likeness in grey (0 to 1).
COMPACTNESS = 0.1
#: SLIC looks at the film smoothed by this many pixels.
SMOOTHING = 2.0
#: Standard deviation of the Gaussian that makes the local mean, as a share of the side.
BLUR = 1 / 8
#: Width of the kernel on the cosine distance, as in the authors' own program.
KERNEL_WIDTH = 0.25
#: Penalty of the ridge regression, as in the authors' own program.
RIDGE = 1.0
#: Images predicted at a time.
BATCH = 32

Segments = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float64]
#: From (n, 224, 224) uint8 to (n,) probabilities.
Predict = Callable[[Array8], npt.NDArray[np.float64]]
#: Called after each batch: samples done, samples in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Weights of the superpixels: how much each adds to the logit of pneumonia.

    weights: (k,) float64, positive where the superpixel speaks for pneumonia; in units of the
    logit. segments: (224, 224) int32, for each pixel the number, 0 to k - 1, of its superpixel.
    """

    weights: Weights
    segments: Segments


def explain(
    predict: Predict,
    image: Array8,
    *,
    samples: int = SAMPLES,
    segments: int = SEGMENTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Explain what is predicted of one model-ready image, (224, 224) uint8.

    samples: images predicted, of which the first is the film itself. segments: superpixels, about.
    The same seed gives the same explanation.
    """
    if samples < 2:
        raise ValueError("an explanation takes two samples at least")
    areas = superpixels(image, segments)
    kept = _drawn(samples, int(areas.max()) + 1, seed)
    hidden = local_mean(image)
    probabilities = []
    for start in range(0, samples, BATCH):
        batch = [painted_over(image, hidden, areas, row) for row in kept[start : start + BATCH]]
        probabilities.append(np.asarray(predict(np.stack(batch)), dtype=np.float64))
        if progress:
            progress(min(start + BATCH, samples), samples)
    return Explanation(_fitted(kept, logit(np.concatenate(probabilities))), areas)


def superpixels(image: Array8, segments: int = SEGMENTS) -> Segments:
    """SLIC superpixels of one image, (rows, columns) uint8: numbered from 0 in the same shape."""
    from skimage.segmentation import slic

    areas = slic(
        image,
        n_segments=segments,
        compactness=COMPACTNESS,
        sigma=SMOOTHING,
        start_label=0,
        channel_axis=None,
    )
    numbered: Segments = np.unique(areas, return_inverse=True)[1].astype(np.int32)
    return numbered.reshape(image.shape)


def local_mean(image: Array8) -> Array8:
    """The film so blurred that no finding is left in it: what superpixels are painted with."""
    from scipy.ndimage import gaussian_filter

    blurred = gaussian_filter(image.astype(np.float32), BLUR * max(image.shape), mode="nearest")
    mean: Array8 = np.clip(np.rint(blurred), 0, 255).astype(np.uint8)
    return mean


def painted_over(
    image: Array8, hidden: Array8, areas: Segments, kept: npt.NDArray[np.bool_]
) -> Array8:
    """The image with every superpixel that is not kept taken from `hidden`. kept: (k,) bool."""
    return np.where(kept[areas], image, hidden)


def _drawn(samples: int, count: int, seed: int) -> npt.NDArray[np.bool_]:
    """Draw the superpixels that each sample keeps, (samples, count): the first all, others half."""
    kept = np.random.default_rng(seed).random((samples, count)) < 0.5
    kept[0] = True
    return kept


def _fitted(kept: npt.NDArray[np.bool_], logits: Weights) -> Weights:
    """Ridge regression of the logits, (samples,), on what is kept, the nearest samples first.

    The cosine distance of a sample to the whole film is 1 - the root of its share of superpixels.
    """
    from sklearn.linear_model import Ridge

    distance = 1 - np.sqrt(kept.mean(axis=1))
    nearness = np.exp(-(distance**2) / KERNEL_WIDTH**2)
    fitted = Ridge(alpha=RIDGE).fit(kept.astype(np.float64), logits, sample_weight=nearness)
    weights: Weights = np.asarray(fitted.coef_, dtype=np.float64)
    return weights
