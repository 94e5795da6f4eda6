"""The networks of the shipped ensembles, loaded once in a process and not once in each test.

Each is compiled at its first batches, which takes longer than to load it. The files are compared
with their digests every time, and nothing changes a network that was loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from models import ensemble
from models.manifest import SHIPPED, EnsembleMember, PixelCheck

if TYPE_CHECKING:
    import keras

#: Loads a network, as a site does.
LOAD: Final = ensemble._network
#: By the digest of its weights, its arithmetic, and whether it is as it was trained.
LOADED: Final[dict[tuple[str, str, bool], "keras.Model"]] = {}


def share_networks() -> None:
    """Let ensembles of the shipped folder have the networks that this process has loaded."""
    ensemble._network = _load_once


def _load_once(
    part: EnsembleMember | PixelCheck, folder: Path, dtype: str, as_trained: bool
) -> "keras.Model":
    if not folder.is_relative_to(SHIPPED):
        return LOAD(part, folder, dtype, as_trained)
    key = part.sha256, dtype, as_trained
    if key not in LOADED:
        LOADED[key] = LOAD(part, folder, dtype, as_trained)
    return LOADED[key]
