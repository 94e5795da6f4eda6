"""Doubles for tests: an ensemble and a notifier that need no networks and no queue.

The product itself never imports this.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.tasks.names import TaskName


class FixedEnsemble:
    """An ensemble that gives the probabilities it was given, in order and then again."""

    prevalence = None

    def __init__(
        self,
        probabilities: Sequence[float],
        version: str = "fixed",
        threshold: float = 0.5,
        spread: float = 0.0,
        unlike: bool | None = None,
    ) -> None:
        """spread: how far its three members are apart; without one it has a single member.

        unlike: of each film, as of an ensemble that can tell.
        """
        self.version = version
        self.threshold = threshold
        self._probabilities = list(probabilities)
        self._spread = spread
        self._unlike = unlike
        self._next = 0

    def predict(self, images: npt.NDArray[np.uint8]) -> list[ImageScore | Refused]:
        """Score each image, whatever it shows."""
        scores: list[ImageScore | Refused] = []
        for _ in images:
            probability = self._probabilities[self._next % len(self._probabilities)]
            self._next += 1
            scores.append(ImageScore(probability, self._members(probability), self._unlike))
        return scores

    def _members(self, probability: float) -> dict[str, float]:
        if not self._spread:
            return {"fixed": probability}
        apart = {"fixed-1": -self._spread, "fixed-2": 0.0, "fixed-3": self._spread}
        return {name: min(1.0, max(0.0, probability + by)) for name, by in apart.items()}


class RecordingNotifier:
    """A notifier that tells nobody, and remembers what it was asked."""

    def __init__(self) -> None:
        self.notified: list[TaskName] = []

    def notify(self, task: TaskName) -> None:
        """Remember the task."""
        self.notified.append(task)
