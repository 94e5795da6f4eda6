"""An ensemble on labelled films: its answers, with every figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.dataset import Film, labels_of
from models.ensemble import NetworkEnsemble
from models.evaluation import PREVALENCE, evaluate
from models.preprocessing import Array8
from models.reporting.curves import Evaluated
from models.training import read_curves


def measure(
    ensemble: NetworkEnsemble,
    films: Sequence[Film],
    images: Array8,
    name: str,
    folder: Path,
    prevalence: float = PREVALENCE,
) -> Evaluated:
    """Score films and evaluate the ensemble at its threshold.

    images: the films', (n, 224, 224) uint8. folder: where the members' curves lie, if anywhere.
    Raises ValueError unless films of both classes are there.
    """
    said = np.array([score.probability for score in ensemble.scores(images)])
    patients, labels = np.array([film.patient for film in films]), labels_of(films)
    curves = {
        member.name: read_curves(folder / f"{member.name}.curves.csv")
        for member in ensemble.manifest.members
    }
    return Evaluated(
        name=name,
        threshold=ensemble.threshold,
        labels=labels,
        probabilities=said,
        patients=patients,
        groups=np.array([film.group for film in films]),
        paths=tuple(film.path for film in films),
        metrics=evaluate(labels, said, patients, ensemble.threshold, prevalence=prevalence),
        curves={name: figures for name, figures in curves.items() if figures},
    )
