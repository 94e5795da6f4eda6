"""Folds of a cross-validation: every patient is in one of them, and classes are spread alike."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from readfirst.errors import Misconfigured

Indices = npt.NDArray[np.int64]
FOLDS = 5


def patient_folds(
    labels: npt.NDArray[np.int64],
    patients: npt.NDArray[np.str_],
    seed: int,
    folds: int = FOLDS,
) -> Iterator[tuple[Indices, Indices]]:
    """Yield the indices of the other patients' cases, and of a fold's. labels, patients: (n,).

    Raises Misconfigured if the patients of a class are too few for so many folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    for label, name in ((1, "pneumonia"), (0, "no pneumonia")):
        number = len(np.unique(patients[labels == label]))
        if number < folds:
            raise Misconfigured(
                f"Those of {name} are of {number} patients: a cross-validation needs {folds}."
            )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for others, fold in splitter.split(labels, labels, patients):
        if len(np.unique(labels[others])) < 2:
            raise Misconfigured("Too few patients have most of the cases of a class.")
        yield others, fold
