"""Area under the ROC curve over the pairs of films that one fit has scored: those of a fold.

Across folds it would compare calibrations, and fall where the order of films is the same.
"""

import numpy as np
import numpy.typing as npt

from laboratory.evaluation.patient_folds import Indices


class AreaWithinFolds:
    """Measures the area of films that are drawn, of which the order is known beforehand.

    fold_of: (n,), the number of each film's fold. sick: (n,) bool. probabilities: (n,).
    """

    def __init__(
        self,
        fold_of: npt.NDArray[np.int64],
        sick: npt.NDArray[np.bool_],
        probabilities: npt.NDArray[np.float64],
    ) -> None:
        self._order = np.lexsort((probabilities, fold_of))
        folds, values = fold_of[self._order], probabilities[self._order]
        is_first = np.append(True, np.diff(folds) != 0)
        differs = is_first | np.append(True, np.diff(values) != 0)
        self._healthy = ~sick[self._order]
        self._sick = np.flatnonzero(~self._healthy)
        # For each sick film, where its fold and the films of its value begin and end.
        self._fold, self._fold_end = (each[self._sick] for each in _runs(is_first))
        self._value, self._value_end = (each[self._sick] for each in _runs(differs))

    def __call__(self, at: Indices) -> float:
        """Give the area of the films of these indices; NaN where no fold has both classes.

        Mann and Whitney 1947; ties count half.
        """
        drawn = np.bincount(at, minlength=len(self._order))[self._order]
        below = np.append(0, np.cumsum(drawn * self._healthy))
        sick, first = drawn[self._sick], below[self._fold]
        pairs = sick @ (below[self._fold_end] - first)
        twice = sick @ (below[self._value] + below[self._value_end] - 2 * first)
        return float(twice / 2 / pairs) if pairs else float("nan")


def _runs(begins: npt.NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """For each of n neighbours, where its run begins and where it ends: (n,) each."""
    number, starts = np.cumsum(begins) - 1, np.flatnonzero(begins)
    return starts[number], np.append(starts[1:], len(begins))[number]
