"""Levels of an adaptation, measured on patients that none of their choices ever saw."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from laboratory.evaluation.area_within_folds import AreaWithinFolds
from laboratory.evaluation.metrics import bootstrap, evaluate, interval, log_losses
from laboratory.evaluation.missing_cases import missing, missing_text
from laboratory.evaluation.patient_folds import Indices, patient_folds
from models.combining import calibrated, sigmoid
from models.manifest import ChangedFigure, Metrics
from readfirst.errors import Misconfigured
from readfirst.statistics.calibration import calibration_error
from readfirst.statistics.confusion import confusion_of

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
    compared = {AS_IT_IS: now} | {level.value: each for level, each in held_out.items()}
    drawn = _draw(films, fold_of, compared, aim, seed)
    calibration, layer = AdaptationLevel.CALIBRATION, AdaptationLevel.LINEAR_LAYER
    return AdaptationResult(
        levels=levels,
        figures={level: drawn.compare(AS_IT_IS, level) for level in levels},
        layer_gain=drawn.compare(calibration, layer)["log_loss"] if layer in levels else None,
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


#: Of every comparison. cost: weighed share of the sick missed, and share of the healthy flagged.
FIGURES = ("auc", "ece", "brier", "log_loss", "sensitivity", "specificity", "cost")
#: The name of the ensemble as it is, beside those of the levels.
AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Figures of several predictions, and what the same draws of patients make of them.

    draws: the figures of each draw. By the name of the predictions and of the figure.
    """

    figures: Mapping[str, Mapping[str, float]]
    draws: Sequence[Mapping[str, Mapping[str, float]]]

    def compare(self, before: str, after: str) -> dict[str, ChangedFigure]:
        """Compare the predictions of two names, by figure."""
        return {figure: self._changed(before, after, figure) for figure in FIGURES}

    def _changed(self, before: str, after: str, figure: str) -> ChangedFigure:
        pairs = [(drawn[before][figure], drawn[after][figure]) for drawn in self.draws]
        earlier, later = self.figures[before][figure], self.figures[after][figure]
        return ChangedFigure(
            before=interval(earlier, [of_before for of_before, _ in pairs]),
            after=interval(later, [of_after for _, of_after in pairs]),
            difference=interval(
                later - earlier, [of_after - of_before for of_before, of_after in pairs]
            ),
        )


def _draw(
    films: LabelledFeatures,
    fold_of: npt.NDArray[np.int64],
    predictions: Mapping[str, Predictions],
    aim: Aim,
    seed: int,
) -> _Drawn:
    """Measure predictions by name, all on the same draws of patients."""
    measures = {
        name: _measure_of(films.labels, fold_of, each, aim) for name, each in predictions.items()
    }

    def measure(at: Indices) -> dict[str, dict[str, float]]:
        return {name: of_one(at) for name, of_one in measures.items()}

    return _Drawn(
        measure(np.arange(len(films.labels))),
        bootstrap(films.patients, films.labels, measure, seed),
    )


def _measure_of(
    labels: npt.NDArray[np.int64],
    fold_of: npt.NDArray[np.int64],
    predictions: Predictions,
    aim: Aim,
) -> Callable[[Indices], dict[str, float]]:
    """What measures predictions on drawn films: from their indices to `FIGURES`."""
    sick, probabilities = labels == 1, predictions.probabilities
    area = AreaWithinFolds(fold_of, sick, probabilities)
    errors, losses = (probabilities - labels) ** 2, log_losses(labels, probabilities)

    def measure(at: Indices) -> dict[str, float]:
        counts = confusion_of(predictions.flagged[at], sick[at])
        return {
            "auc": area(at),
            "ece": calibration_error(labels[at], probabilities[at]),
            "brier": float(errors[at].mean()),
            "log_loss": float(losses[at].mean()),
            "sensitivity": counts.sensitivity,
            "specificity": counts.specificity,
            "cost": aim.miss_weight * (1 - counts.sensitivity) + 1 - counts.specificity,
        }

    return measure
