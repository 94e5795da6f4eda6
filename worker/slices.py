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
class AskedByLime:
    """What LIME has been told of one film.

    It asks the same again each time, in the same order, so answers are known by their places.
    """

    key: tuple[str, str] | None = None
    answers: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def about(self, key: tuple[str, str]) -> None:
        """Begin with this film, or go on with it. key: its sha256 and the ensemble version."""
        if self.key != key:
            self.key, self.answers = key, []


def resuming(predict: Predict, asked: AskedByLime, must_give_way: Callable[[], bool]) -> Predict:
    """What LIME predicts by: what it was told before, then the networks. Raises GivesWay.

    must_give_way: asked before each few films.
    """
    place = 0

    def resumed(images: Array8) -> npt.NDArray[np.float64]:
        nonlocal place
        said = []
        for start in range(0, len(images), AT_A_TIME):
            if place == len(asked.answers):
                if must_give_way():
                    raise GivesWay
                asked.answers.append(predict(images[start : start + AT_A_TIME]))
            said.append(asked.answers[place])
            place += 1
        return np.concatenate(said)

    return resumed
