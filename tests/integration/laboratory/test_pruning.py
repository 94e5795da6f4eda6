"""Channel pruning: fewer channels that begin by answering alike."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from laboratory.networks.pruning import prune_channels
from models.combining import logit
from models.networks.layers import convolution_blocks, grey, pooled_head
from models.preprocessing import AS_IT_IS, network_input
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

SIZE = 32
BLOCKS = ((8, 2), (16, 2), (24, 3))


def network(blocks: tuple[tuple[int, int], ...], seed: int, name: str = "vgg") -> "keras.Model":
    import keras

    keras.utils.set_random_seed(seed)
    image = grey(SIZE)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    return keras.Model(image, pooled_head(convolution_blocks(blocks, x), 0.2), name=name)


def films(count: int, seed: int) -> np.ndarray:
    """Smooth random images, as films are smooth."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 8, 8), dtype=np.uint8)
    return np.kron(coarse, np.ones((1, 28, 28), dtype=np.uint8))


def logits(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    return logit(np.asarray(model(network_input(images, SIZE)))[:, 0])


def test_a_network_that_keeps_every_channel_answers_the_same() -> None:
    wide, narrow = network(BLOCKS, 1), network(BLOCKS, 2)
    prune_channels(wide, narrow, films(24, 0), AS_IT_IS, seed=1)
    of_wide, of_narrow = logits(wide, films(20, 1)), logits(narrow, films(20, 1))
    assert np.corrcoef(of_wide, of_narrow)[0, 1] > 0.99
    assert np.abs(of_wide - of_narrow).max() < 0.2 * np.ptp(of_wide)


def test_the_channels_that_matter_are_kept() -> None:
    halves = tuple((filters // 2, count) for filters, count in BLOCKS)
    wide, narrow = network(BLOCKS, 1), network(halves, 2)
    for layer in [layer for layer in wide.layers if layer.weights][1:]:
        # What comes from the first half of the channels before hardly matters.
        kernel, bias = layer.get_weights()
        kernel[..., : kernel.shape[-2] // 2, :] *= 0.01
        layer.set_weights([kernel, bias])
    prune_channels(wide, narrow, films(24, 0), AS_IT_IS, seed=1)
    of_wide, of_narrow = logits(wide, films(40, 1)), logits(narrow, films(40, 1))
    assert np.corrcoef(of_wide, of_narrow)[0, 1] > 0.98


def test_a_network_of_another_depth_is_refused() -> None:
    with pytest.raises(Misconfigured, match="shallow is no vgg with fewer channels"):
        prune_channels(
            network(BLOCKS, 1), network(BLOCKS[:2], 1, "shallow"), films(2, 0), AS_IT_IS, seed=1
        )
