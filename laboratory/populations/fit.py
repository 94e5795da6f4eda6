"""The calibration and the operating point of a population, cross-validated by patient."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.evaluation.metrics import RESAMPLES, area_under_curve, predictive_values
from laboratory.populations.films import OTHERS, VIEWS, PopulationFilms
from models.combining import Probabilities, calibrated, sigmoid
from models.manifest import PlattScaling
from models.populations.population import (
    FiguresAgainst,
    Population,
    PopulationEvidence,
    PredictiveValues,
)
from readfirst.domain import Ages
from readfirst.errors import Misconfigured
from readfirst.statistics.operating_points import Interval, by_sensitivity, labelled

FOLDS = 5
#: Cross-validations with other folds each, over which the figures are averaged.
REPEATS = 20
#: Fewest films of each class.
LEAST_OF_EACH = 30
#: At which predictive values are stated.
PREVALENCES = (0.1, 0.3)
EVERYTHING_ELSE = "everything else"
COPIES = "normal, copies of another source"
METHOD = (
    "Platt's scaling of the ensemble's logits, by films weighed so that the share of opacities is "
    "the same in AP and PA; the highest threshold that flags {sensitivity:.0%} of the opacities. "
    "Sensitivity, specificity and predictive values are those of calibrations and thresholds that "
    "were fitted to other patients, averaged over {repeats} cross-validations; the area needs no "
    "fit. Of the films fitted to, the pixel check refuses {refused}, which count as scored here."
)


@dataclass(frozen=True, slots=True)
class FittedPoint:
    """Platt's scaling of logits, and the threshold of what it gives."""

    scaling: PlattScaling
    threshold: float

    def flags(self, logits: Probabilities) -> npt.NDArray[np.bool_]:
        """True for films that are flagged. logits: before calibration, (n,)."""
        return sigmoid(calibrated(logits, self.scaling)) >= self.threshold


def fit_population(
    films: PopulationFilms,
    copies: PopulationFilms | None,
    *,
    name: str,
    ages: Ages,
    sensitivity: float,
    source: str,
    seed: int = 0,
) -> Population:
    """Fit a population to all films; its figures are of films that the fit has not seen.

    copies: healthy films that tell of specificity alone. sensitivity: that is aimed at. source:
    where the films are from, and their licence. Raises Misconfigured if there are too few.
    """
    _check_enough(films)
    point = fit_point(films, sensitivity)
    flagged = held_out_flags(films, sensitivity, seed)
    groups = dict(_groups(films, flagged, seed))
    if copies is not None:
        of_copies = point.flags(copies.logits).astype(np.float64)
        groups |= dict(_specificities(copies, of_copies, seed))
    return Population(
        name=name,
        ages=ages,
        views=VIEWS,
        finding="lung opacity",
        slope=point.scaling.slope,
        intercept=point.scaling.intercept,
        prevalence=float(films.sick.mean()),
        threshold=point.threshold,
        evidence=PopulationEvidence(
            source=source,
            method=METHOD.format(
                sensitivity=sensitivity, repeats=REPEATS, refused=int(np.sum(~films.accepted))
            ),
            films=len(films.logits),
            patients=len(np.unique(films.patients)),
            sick=int(films.sick.sum()),
            folds=FOLDS,
            groups=groups,
        ),
    )


def fit_point(films: PopulationFilms, sensitivity: float) -> FittedPoint:
    """Fit calibration and threshold. Raises Misconfigured if the ranking does not carry over."""
    from sklearn.linear_model import LogisticRegression

    weights = balanced_weights(films.sick, films.views)
    fitted = LogisticRegression(C=10.0).fit(films.logits[:, np.newaxis], films.sick, weights)
    scaling = PlattScaling(slope=float(fitted.coef_[0, 0]), intercept=float(fitted.intercept_[0]))
    if scaling.slope <= 0:
        raise Misconfigured(
            "The ensemble says less of films with an opacity than of others here: no calibration "
            "mends that."
        )
    probabilities = sigmoid(calibrated(films.logits, scaling))
    cases = labelled(probabilities[films.sick].tolist(), probabilities[~films.sick].tolist())
    return FittedPoint(scaling, by_sensitivity(cases, sensitivity))


def balanced_weights(
    sick: npt.NDArray[np.bool_], views: npt.NDArray[np.str_]
) -> npt.NDArray[np.float64]:
    """Weights, (n,), under which the share of sick films is the same in each view.

    The shares of classes and of views stay. Raises Misconfigured where a view lacks a class.
    """
    weights = np.zeros(len(sick))
    for view in np.unique(views):
        for label in (True, False):
            cell = (views == view) & (sick == label)
            if not cell.any():
                raise Misconfigured(f"The films of view {view} are all of one class.")
            expected = np.mean(views == view) * np.mean(sick == label)
            weights[cell] = expected / np.mean(cell)
    return weights


def held_out_flags(
    films: PopulationFilms, sensitivity: float, seed: int
) -> npt.NDArray[np.float64]:
    """The share of cross-validations in which each film is flagged, (n,).

    Each time by a calibration and a threshold that were fitted to other patients.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = np.char.add(films.views, films.sick.astype(np.str_))
    flagged = np.zeros(len(films.logits))
    for repeat in range(REPEATS):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        for others, fold in folds.split(films.logits, strata, films.patients):
            point = fit_point(films.at(others), sensitivity)
            flagged[fold] += point.flags(films.logits[fold])
    return flagged / REPEATS


def _check_enough(films: PopulationFilms) -> None:
    counts = {"an opacity": int(films.sick.sum()), "none": int(np.sum(~films.sick))}
    for what, count in counts.items():
        if count < LEAST_OF_EACH:
            raise Misconfigured(
                f"{count} films of this population show {what}: at least {LEAST_OF_EACH} are "
                "needed for a calibration."
            )


def _groups(
    films: PopulationFilms, flagged: npt.NDArray[np.float64], seed: int
) -> Iterator[tuple[str, FiguresAgainst]]:
    """The figures against each group, for all views together and apart."""
    against = {EVERYTHING_ELSE: ~films.sick}
    against |= {each.replace("_", " "): films.classes == each for each in OTHERS}
    all_views = np.ones(len(films.logits), dtype=bool)
    of_view = {"": all_views} | {f"{view}: ": films.views == view for view in VIEWS}
    for prefix, is_of_view in of_view.items():
        for group, is_in_group in against.items():
            chosen = is_of_view & (films.sick | is_in_group)
            yield prefix + group, group_figures(films.at(chosen), flagged[chosen], seed)


def _specificities(
    films: PopulationFilms, flagged: npt.NDArray[np.float64], seed: int
) -> Iterator[tuple[str, FiguresAgainst]]:
    all_views = np.ones(len(films.logits), dtype=bool)
    of_view = {"": all_views} | {f"{view}: ": films.views == view for view in VIEWS}
    for prefix, chosen in of_view.items():
        if chosen.any():
            yield prefix + COPIES, group_figures(films.at(chosen), flagged[chosen], seed)


def group_figures(
    films: PopulationFilms, flagged: npt.NDArray[np.float64], seed: int
) -> FiguresAgainst:
    """Figures of sick films against the others, with intervals from a bootstrap over patients.

    flagged: 0 to 1, (n,). What a missing class would be needed for is None.
    """
    values = _measured(films.sick, films.logits, flagged)
    draws = list(_drawn(films, flagged, seed))

    def interval(name: str) -> Interval | None:
        if np.isnan(values[name]):
            return None
        low, high = np.nanpercentile([draw[name] for draw in draws], [2.5, 97.5])
        return Interval(values[name], float(low), float(high))

    sick = int(films.sick.sum())
    return FiguresAgainst(
        sick=sick,
        others=len(films.sick) - sick,
        auc=interval("auc"),
        sensitivity=interval("sensitivity"),
        specificity=interval("specificity"),
        predictive=tuple(
            PredictiveValues(prevalence=at, ppv=interval(f"ppv {at}"), npv=interval(f"npv {at}"))
            for at in (PREVALENCES if 0 < sick < len(films.sick) else ())
        ),
    )


def _drawn(
    films: PopulationFilms, flagged: npt.NDArray[np.float64], seed: int
) -> Iterator[Mapping[str, float]]:
    """The figures of patients drawn with repetition, again and again."""
    generator = np.random.default_rng(seed)
    _, patient_of = np.unique(films.patients, return_inverse=True)
    order = np.argsort(patient_of, kind="stable")
    of_patient = np.split(order, np.cumsum(np.bincount(patient_of))[:-1])
    for _ in range(RESAMPLES):
        drawn = generator.integers(len(of_patient), size=len(of_patient))
        at = np.concatenate([of_patient[patient] for patient in drawn])
        yield _measured(films.sick[at], films.logits[at], flagged[at])


def _measured(
    sick: npt.NDArray[np.bool_], logits: Probabilities, flagged: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Figures by name; NaN for those that need a class that is not there."""
    nothing = float("nan")
    sensitivity = float(flagged[sick].mean()) if sick.any() else nothing
    specificity = float(1 - flagged[~sick].mean()) if not sick.all() else nothing
    both = sick.any() and not sick.all()
    figures = {
        "auc": area_under_curve(sick, logits) if both else nothing,
        "sensitivity": sensitivity,
        "specificity": specificity,
    }
    for prevalence in PREVALENCES:
        values = predictive_values(sensitivity, specificity, prevalence)
        figures |= dict(zip((f"ppv {prevalence}", f"npv {prevalence}"), values, strict=True))
    return figures
