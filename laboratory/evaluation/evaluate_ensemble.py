"""An ensemble on labelled films: its probabilities, and every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from laboratory.data.dataset import LabelledFilm, labels_of
from laboratory.evaluation.disagreement import Disagreement, measure_disagreement
from laboratory.evaluation.metrics import PREVALENCE, evaluate
from laboratory.training.curves import curves_path, read_curves
from models.ensemble import NetworkEnsemble
from models.manifest import Metrics
from models.preprocessing import Array8

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvaluatedModel:
    """A model's answers on labelled films of both classes.

    labels: (n,) int, 1 is pneumonia. probabilities: (n,) float64. patients, groups: (n,) str.
    metrics: from `evaluate`, at the threshold. curves: of each member, figure
    (`loss`, `auc`, `val_loss`, `val_auc`, ...) → its value after each epoch. disagreement: of its
    members; None where it has one alone.
    """

    name: str
    threshold: float
    labels: np.ndarray
    probabilities: Array
    patients: np.ndarray
    groups: np.ndarray
    paths: tuple[Path, ...]
    metrics: Metrics
    curves: Mapping[str, Mapping[str, Sequence[float]]]
    disagreement: Disagreement | None = None

    def __post_init__(self) -> None:
        lengths = {
            len(column)
            for column in (
                self.labels,
                self.probabilities,
                self.patients,
                self.groups,
                self.paths,
            )
        }
        if len(lengths) != 1:
            raise ValueError(f"{self.name}: labels, answers and films differ in number")
        if len(np.unique(self.labels)) != 2:
            raise ValueError(f"{self.name}: a report needs films of both classes")


def evaluate_ensemble(
    ensemble: NetworkEnsemble,
    films: Sequence[LabelledFilm],
    images: Array8,
    name: str,
    folder: Path,
    prevalence: float = PREVALENCE,
) -> EvaluatedModel:
    """Score films and evaluate the ensemble at its threshold.

    images: the films', (n, 224, 224) uint8. folder: where the members' curves lie, if anywhere.
    Raises ValueError unless films of both classes are there.
    """
    scores = ensemble.scores(images)
    probabilities = np.array([score.probability for score in scores])
    patients, labels = np.array([film.patient for film in films]), labels_of(films)
    metrics = evaluate(
        labels,
        probabilities,
        patients,
        ensemble.threshold,
        prevalence=prevalence,
        presupposed=ensemble.prevalence,
    )
    curves = {
        member.name: read_curves(curves_path(folder, member.name))
        for member in ensemble.manifest.members
    }
    return EvaluatedModel(
        name=name,
        threshold=ensemble.threshold,
        labels=labels,
        probabilities=probabilities,
        patients=patients,
        groups=np.array([film.group for film in films]),
        paths=tuple(film.path for film in films),
        metrics=metrics,
        curves={name: series for name, series in curves.items() if series},
        disagreement=measure_disagreement(
            labels,
            probabilities,
            [[*score.members.values()] for score in scores],
            patients,
            ensemble.threshold,
        )
        if len(ensemble.manifest.members) > 1
        else None,
    )
