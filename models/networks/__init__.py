"""Networks by name. Each takes (size, size, 1) grey values, 0 to 255, and ends in one sigmoid.

Keras 3 layers only, so that they run on TensorFlow, JAX and PyTorch alike. Keras itself is
imported when a network is built. Other packages add networks by an entry point, as the laboratory
does: an ensemble of a site may have them.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from models.networks import pixel_check, shipped
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras

Builder = Callable[..., "keras.Model"]

NETWORKS: dict[str, Builder] = {
    "plain-cnn": shipped.plain_cnn,
    "vgg16-tuned": shipped.vgg16_tuned,
    "vgg16-narrow": shipped.vgg16_narrow,
    "efficientnet-lite0": shipped.efficientnet_lite0,
    "chest-check": pixel_check.chest_check,
    "chest-check-wider": pixel_check.wider_chest_check,
}
#: The group of entry points, each a mapping such as `NETWORKS`.
ENTRY_POINTS = "readfirst.networks"


def build(network: str, size: int, **options: int) -> "keras.Model":
    """Build a network by name, for square images of this side. Raises Misconfigured."""
    known = NETWORKS if network in NETWORKS else {**NETWORKS, **_of_other_packages()}
    if network not in known:
        raise Misconfigured(f"No network is called {network}; there are {', '.join(known)}.")
    return known[network](size, **options)


def _of_other_packages() -> Mapping[str, Builder]:
    networks: dict[str, Builder] = {}
    for entry_point in entry_points(group=ENTRY_POINTS):
        networks.update(entry_point.load())
    return networks
