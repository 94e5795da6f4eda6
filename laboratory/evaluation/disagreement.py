"""Members that disagree: how many films, and how much less right an ensemble is on them."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from laboratory.evaluation.metrics import bootstrap, interval
from models.manifest import Estimate
from readfirst.studies.score_marks import members_disagree

Array = npt.NDArray[np.float64]


class Disagreement(BaseModel):
    """The members of an ensemble on both sides of its threshold.

    films: on which they are. share: of all films. wrong, wrong_otherwise: the share of these, and
    of all others, on which the ensemble errs at its threshold; None where there is no such film.
    """

    model_config = ConfigDict(frozen=True)

    films: int
    share: Estimate
    wrong: Estimate | None
    wrong_otherwise: Estimate | None


def measure_disagreement(
    labels: np.ndarray,
    probabilities: Array,
    members: Sequence[Sequence[float]],
    patients: np.ndarray,
    threshold: float,
    *,
    seed: int = 0,
) -> Disagreement:
    """Measure each figure with its 95 % interval, from a percentile bootstrap over patients.

    labels: (n,), 1 is pneumonia. probabilities: (n,), of the ensemble. members: (n, members).
    patients: (n,), whose film it is. Both classes must be there.
    """
    doubtful = np.array([members_disagree(each, threshold) for each in members])
    wrong = (probabilities >= threshold) != (labels == 1)
    point = _shares(doubtful, wrong)
    draws = bootstrap(patients, labels, lambda at: _shares(doubtful[at], wrong[at]), seed)
    estimates = {
        name: None if math.isnan(value) else interval(value, [draw[name] for draw in draws])
        for name, value in point.items()
    }
    return Disagreement(films=int(doubtful.sum()), **estimates)


def _shares(doubtful: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]) -> dict[str, float]:
    return {
        "share": float(doubtful.mean()),
        "wrong": _mean(wrong[doubtful]),
        "wrong_otherwise": _mean(wrong[~doubtful]),
    }


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
