"""Networks by name. Each takes (size, size, 1) grey values, 0 to 255, and ends in one sigmoid.

Keras 3 layers only, so that they run on TensorFlow, JAX and PyTorch alike. Keras itself is
imported when a network is built.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from models.networks import checking, shipped
from models.networks.studies import STUDIES
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

Builder = Callable[..., "keras.Model"]

NETWORKS: dict[str, Builder] = {
    "plain-cnn": shipped.plain_cnn,
    "vgg16-tuned": shipped.vgg16_tuned,
    "efficientnet-lite0": shipped.efficientnet_lite0,
    "chest-check": checking.chest_check,
    **STUDIES,
}


def build(network: str, size: int, **options: int) -> "keras.Model":
    """A network by name, for square images of this side. Raises Misconfigured for a wrong name."""
    if network not in NETWORKS:
        raise Misconfigured(f"No network is called {network}; there are {', '.join(NETWORKS)}.")
    return NETWORKS[network](size, **options)
