"""Networks by name: the published ones, and those of `models.networks`."""

from typing import TYPE_CHECKING

from laboratory.networks.published import PUBLISHED
from models import networks

if TYPE_CHECKING:
    import keras


def build(network: str, size: int, **options: int) -> "keras.Model":
    """Build a network by name, for square images of this side. Raises Misconfigured."""
    if network in PUBLISHED:
        return PUBLISHED[network](size, **options)
    return networks.build(network, size, **options)
