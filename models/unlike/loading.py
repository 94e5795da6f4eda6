"""The check of unlike films, loaded beside the networks of an ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.unlike.contrast import Contrast, load_contrast
from models.unlike.features import with_features
from models.unlike.manifest_part import UnlikeCheck
from readfirst.errors import Misconfigured

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True, eq=False)
class LoadedUnlikeCheck:
    """The check, ready. network: the member's, which gives its features as second output."""

    rule: UnlikeCheck
    network: "keras.Model"
    contrast: Contrast

    def unlike(self, by_view: Sequence[npt.NDArray[np.floating]]) -> npt.NDArray[np.bool_]:
        """Tell which films are unlike the validated ones, (n,).

        by_view: their features in each of the member's views, (n, d) each.
        """
        marked: npt.NDArray[np.bool_] = (
            self.contrast.of(np.mean(by_view, axis=0)) >= self.rule.threshold
        )
        return marked


def load_unlike_check(
    folder: Path, rule: UnlikeCheck, networks: Mapping[str, "keras.Model"]
) -> LoadedUnlikeCheck:
    """Load the check of an ensemble. networks: the members' by name.

    Raises Misconfigured if its member or layer is missing, or its file does not fit them.
    """
    if rule.member not in networks:
        raise Misconfigured(f"The check of unlike films reads {rule.member}, which is no member.")
    network = with_features(networks[rule.member], rule.layer, rule.cells)
    features = int(network.outputs[1].shape[1])
    return LoadedUnlikeCheck(rule, network, load_contrast(folder / rule.file, features))
