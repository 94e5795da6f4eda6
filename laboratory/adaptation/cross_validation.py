"""Levels of an adaptation, measured on patients that none of their choices ever saw."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.adaptation.films import LabelledFeatures
from laboratory.adaptation.levels import (
    AdaptationLevel,
    AdaptedRule,
    Aim,
    OperatingRule,
    fit_levels,
)
from laboratory.evaluation.metrics import bootstrap, evaluate, interval, probability_figures
from laboratory.evaluation.missing_cases import missing, missing_text
from laboratory.evaluation.patient_folds import FOLDS, Indices, patient_folds
from models.combining import calibrated, sigmoid
from models.manifest import ChangedFigure, Metrics
from readfirst.errors import Misconfigured
from readfirst.statistics.confusion import confusion_at

Array = npt.NDArray[np.float64]
Fold = tuple[Indices, Indices]
#: Fewest films of each class for a calibration, and for a linear layer.
LEAST_FOR_CALIBRATION, LEAST_FOR_LAYER = 50, 100


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Probabilities of films, and which of them are flagged: (n,) each."""

    probabilities: Array
    flagged: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdaptationResult:
    """The levels fitted to all films, and what each is worth on patients that it never saw.

    figures: of each level against the ensemble as it is. layer_gain: log loss of the linear layer
    against that of the calibration; None without one. held_out: what the levels give to the films,
    each by a fit without its patient. missing: films of each class that a linear layer lacks.
    """

    levels: Mapping[AdaptationLevel, AdaptedRule]
    figures: Mapping[AdaptationLevel, Mapping[str, ChangedFigure]]
    layer_gain: ChangedFigure | None
    held_out: Mapping[AdaptationLevel, Predictions]
    missing: Mapping[str, int]
    aim: Aim

    @property
    def best(self) -> AdaptationLevel | None:
        """The highest level that is shown to be better; None if none is.

        A level counts where the whole interval of its difference is below 0: of the layer's log
        loss against that of the calibration; of the calibration's log loss against that of the
        ensemble as it is. An operating point has to be asked for; less cost counts for it as well.
        """
        if self.layer_gain is not None and self.layer_gain.difference.high < 0:
            return AdaptationLevel.LINEAR_LAYER
        point = self.figures[AdaptationLevel.OPERATING_POINT]
        calibrates = point["log_loss"].difference.high < 0
        if self.aim.is_stated and (calibrates or point["cost"].difference.high < 0):
            return AdaptationLevel.OPERATING_POINT
        return AdaptationLevel.CALIBRATION if calibrates else None


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Keep matrices to one thread. The fits are small: several would wait for one another."""
    import sklearn.linear_model  # noqa: F401 - only libraries that are there can be limited
    from threadpoolctl import threadpool_limits  # It comes with scikit-learn.

    with threadpool_limits(1, user_api="blas"):
        yield


@_one_blas_thread()
def adapt(
    films: LabelledFeatures,
    before: OperatingRule,
    aim: Aim,
    *,
    least_for_layer: int = LEAST_FOR_LAYER,
    seed: int = 0,
    progress: Callable[[Iterable[Fold]], Iterable[Fold]] = lambda folds: folds,
) -> AdaptationResult:
    """Fit each level to the films, and measure it by a cross-validation over patients.

    All choices, that of the linear layer's strength too, are made anew in each fold. Raises
    Misconfigured if there are too few films or patients of a class.
    """
    lacking = missing(films.labels, LEAST_FOR_CALIBRATION)
    if lacking:
        raise Misconfigured(
            f"An adaptation needs {LEAST_FOR_CALIBRATION} films of each class: "
            f"{missing_text(lacking)}."
        )
    lacking = missing(films.labels, least_for_layer)
    levels = fit_levels(films, before, aim, seed, with_layer=not lacking)
    held_out = {level: _empty(len(films.labels)) for level in levels}
    fold_of = np.zeros(len(films.labels), dtype=np.int64)
    folds = patient_folds(films.labels, films.patients, seed)
    for number, (others, fold) in enumerate(progress(folds)):
        fold_of[fold] = number
        fitted = fit_levels(films.take(others), before, aim, seed, with_layer=not lacking)
        for level, rule in fitted.items():
            probabilities = rule.probabilities(films.take(fold))
            held_out[level].probabilities[fold] = probabilities
            held_out[level].flagged[fold] = probabilities >= rule.threshold
    as_it_is = sigmoid(calibrated(films.logits, before.calibration))
    now = Predictions(as_it_is, as_it_is >= before.threshold)
    layer = held_out.get(AdaptationLevel.LINEAR_LAYER)
    against = None if layer is None else (held_out[AdaptationLevel.CALIBRATION], layer)
    return AdaptationResult(
        levels=levels,
        figures={
            level: _compare(films, fold_of, (now, after), aim, seed)
            for level, after in held_out.items()
        },
        layer_gain=_compare(films, fold_of, against, aim, seed)["log_loss"] if against else None,
        held_out=held_out,
        missing=lacking,
        aim=aim,
    )


def metrics_of(
    films: LabelledFeatures, result: AdaptationResult, level: AdaptationLevel, seed: int = 0
) -> Metrics:
    """The figures of a level as a manifest has them. Its threshold differs from fold to fold."""
    flagged = result.held_out[level].flagged.astype(np.float64)
    by_flag = evaluate(films.labels, flagged, films.patients, 0.5, seed=seed)
    after = {name: figure.after for name, figure in result.figures[level].items()}
    return by_flag.model_copy(update={"auc": after["auc"], "ece": after["ece"]})


def _empty(films: int) -> Predictions:
    return Predictions(np.zeros(films), np.zeros(films, dtype=np.bool_))


def _compare(
    films: LabelledFeatures,
    fold_of: npt.NDArray[np.int64],
    pair: tuple[Predictions, Predictions],
    aim: Aim,
    seed: int,
) -> dict[str, ChangedFigure]:
    """Compare predictions before and after on the same draws of patients."""

    def measure(at: npt.NDArray[np.int64]) -> dict[str, float]:
        before, after = (_figures(films.labels, fold_of, each, aim, at) for each in pair)
        drawn = {f"{name} before": value for name, value in before.items()}
        drawn |= {f"{name} after": value for name, value in after.items()}
        return drawn | {f"{name} difference": after[name] - before[name] for name in before}

    values = measure(np.arange(len(films.labels)))
    draws = bootstrap(films.patients, films.labels, measure, seed)
    estimates = {
        name: interval(value, [draw[name] for draw in draws]) for name, value in values.items()
    }
    return {
        name: ChangedFigure(
            before=estimates[f"{name} before"],
            after=estimates[f"{name} after"],
            difference=estimates[f"{name} difference"],
        )
        for name in FIGURES
    }


#: Of every comparison. cost: weighed share of the sick missed, and share of the healthy flagged.
FIGURES = ("auc", "ece", "brier", "log_loss", "sensitivity", "specificity", "cost")


def _figures(
    labels: npt.NDArray[np.int64],
    fold_of: npt.NDArray[np.int64],
    predictions: Predictions,
    aim: Aim,
    at: npt.NDArray[np.int64],
) -> dict[str, float]:
    drawn, probabilities = labels[at], predictions.probabilities[at]
    counts = confusion_at(drawn, predictions.flagged[at].astype(np.float64), 0.5)
    return {
        "auc": _area_within(fold_of[at], drawn == 1, probabilities),
        **probability_figures(drawn, probabilities),
        "sensitivity": counts.sensitivity,
        "specificity": counts.specificity,
        "cost": aim.miss_weight * (1 - counts.sensitivity) + 1 - counts.specificity,
    }


def _area_within(
    fold_of: npt.NDArray[np.int64], sick: npt.NDArray[np.bool_], probabilities: Array
) -> float:
    """Area under the ROC curve over the pairs of films that one fit has scored: those of a fold.

    Across folds it would compare calibrations, and fall where the order of films is the same.
    """
    pairs = ordered = 0.0
    for fold in range(FOLDS):
        ill, well = (probabilities[(fold_of == fold) & (sick == each)] for each in (True, False))
        pairs += len(ill) * len(well)
        well = np.sort(well)
        # Mann and Whitney 1947; ties count half.
        for side in ("left", "right"):
            ordered += np.searchsorted(well, ill, side).sum() / 2
    return float(ordered / pairs) if pairs else float("nan")
