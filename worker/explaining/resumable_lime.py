"""LIME in slices: it takes a minute, and a film that comes in must not wait for it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.explaining.lime import Predict
from models.preprocessing import Array8

#: Films predicted at a time: between two of them it may give way.
AT_A_TIME = 8


class GivesWay(Exception):
    """Something else comes first; what was predicted is kept."""


@dataclass
class LimeProgress:
    """The answers that the networks have given LIME about one film so far.

    It asks the same again each time, in the same order, so answers are known by their positions.
    """

    key: tuple[str, str] | None = None
    answers: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def begin(self, key: tuple[str, str]) -> None:
        """Begin with this film, or go on with it. key: its sha256 and the ensemble version."""
        if self.key != key:
            self.key, self.answers = key, []


def resuming(
    predict: Predict, progress: LimeProgress, must_give_way: Callable[[], bool]
) -> Predict:
    """The function by which LIME predicts: from earlier answers first, then by the networks.

    must_give_way: asked before each few films. The function raises GivesWay.
    """
    position = 0

    def resumed(images: Array8) -> npt.NDArray[np.float64]:
        nonlocal position
        probabilities = []
        for start in range(0, len(images), AT_A_TIME):
            if position == len(progress.answers):
                if must_give_way():
                    raise GivesWay
                progress.answers.append(predict(images[start : start + AT_A_TIME]))
            probabilities.append(progress.answers[position])
            position += 1
        return np.concatenate(probabilities)

    return resumed
