"""The shipped networks, loaded once in a process and not once in each test.

Each is compiled at its first batches, which takes longer than to load it. The files are compared
with their digests every time, and nothing changes a network that was loaded.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from models import ensemble
from models.manifest import SHIPPED, EnsembleMember, PixelCheck, find_ensembles, load_manifest

if TYPE_CHECKING:
    import keras

#: Loads a network, as a site does.
LOAD: Final = ensemble._network
#: By weights, architecture, size of its input, arithmetic, and whether it is as it was trained.
LOADED: Final[dict[tuple[str, str, int, str, bool], "keras.Model"]] = {}


def share_networks() -> None:
    """Let ensembles with shipped networks have those that this process has loaded."""
    ensemble._network = _load_once


@cache
def _shipped_weights() -> frozenset[str]:
    """Digests of all weights that are shipped."""
    manifests = [load_manifest(folder) for folder in find_ensembles([SHIPPED]).values()]
    return frozenset(part.sha256 for manifest in manifests for part in manifest.parts)


def _load_once(
    part: EnsembleMember | PixelCheck, folder: Path, dtype: str, as_trained: bool
) -> "keras.Model":
    if part.sha256 not in _shipped_weights():
        return LOAD(part, folder, dtype, as_trained)
    key = part.sha256, part.network, part.input_size, dtype, as_trained
    if key not in LOADED:
        LOADED[key] = LOAD(part, folder, dtype, as_trained)
    return LOADED[key]
