"""Calibrations and an operating point by view for a population, cross-validated by patient."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laboratory.evaluation.metrics import RESAMPLES
from laboratory.evaluation.patient_folds import FOLDS
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

#: Cross-validations with other folds each, over which the figures are averaged.
REPEATS = 20
#: Fewest films of each class.
LEAST_OF_EACH = 30
#: At which predictive values are stated.
PREVALENCES = (0.1, 0.3)
EVERYTHING_ELSE = "everything else"
COPIES = "normal, copies of another source"
#: Before the groups of films of both views.
BOTH_VIEWS = ", ".join(VIEWS)
METHOD = (
    "Platt's scaling of the ensemble's logits, with one slope and an intercept for each view, by "
    "films weighed so that the share of opacities is the same in AP and PA; the highest threshold "
    "that flags {sensitivity:.0%} of the opacities of both. "
    "Sensitivity, specificity and predictive values are those of calibrations and thresholds that "
    "were fitted to other patients, averaged over {repeats} cross-validations; the area needs no "
    "fit. Of the films fitted to, the pixel check refuses {refused}, which count as scored here."
)


@dataclass(frozen=True, slots=True)
class FittedPoint:
    """Platt's scaling of logits for each view, and the threshold of what it gives."""

    scalings: Mapping[str, PlattScaling]
    threshold: float

    def probabilities(self, films: PopulationFilms) -> Probabilities:
        """The probabilities of films, (n,)."""
        stated = np.zeros(len(films.logits))
        for view, scaling in self.scalings.items():
            of_view = films.views == view
            stated[of_view] = sigmoid(calibrated(films.logits[of_view], scaling))
        return stated

    def flags(self, films: PopulationFilms) -> npt.NDArray[np.bool_]:
        """True for films that are flagged, (n,)."""
        return self.probabilities(films) >= self.threshold


def fit_populations(
    films: PopulationFilms,
    copies: PopulationFilms | None,
    *,
    name: str,
    ages: Ages,
    sensitivity: float,
    source: str,
    seed: int = 0,
) -> tuple[Population, ...]:
    """Fit a population for each view; the figures are of films that the fit has not seen.

    copies: healthy films that tell of specificity alone. name: of both; the view follows it.
    sensitivity: that is aimed at. source: where the films are from, and their licence. The first
    one is of the view of which more is flagged, and so of films whose view nobody knows. Raises
    Misconfigured if there are too few films.
    """
    _check_enough(films)
    point = fit_point(films, sensitivity)
    flagged = held_out_flags(films, sensitivity, seed)
    of_copies = None if copies is None else point.flags(copies).astype(np.float64)
    together = {
        f"{BOTH_VIEWS}: {group}": figures for group, figures in _groups(films, flagged, seed)
    }
    evidence = PopulationEvidence(
        source=source,
        method=METHOD.format(
            sensitivity=sensitivity, repeats=REPEATS, refused=int(np.sum(~films.accepted))
        ),
        films=len(films.logits),
        patients=len(np.unique(films.patients)),
        sick=int(films.sick.sum()),
        folds=FOLDS,
        groups={},
    )
    populations = []
    for view, scaling in sorted(point.scalings.items(), key=lambda each: -each[1].intercept):
        is_in = films.views == view
        groups = dict(_groups(films.at(is_in), flagged[is_in], seed))
        if copies is not None and of_copies is not None and (copies.views == view).any():
            chosen = copies.views == view
            groups[COPIES] = group_figures(copies.at(chosen), of_copies[chosen], seed)
        populations.append(
            Population(
                name=f"{name}-{view.lower()}",
                ages=ages,
                views=(view,),
                finding="lung opacity",
                slope=scaling.slope,
                intercept=scaling.intercept,
                prevalence=float(films.sick.mean()),
                threshold=point.threshold,
                evidence=evidence.model_copy(update={"groups": groups | together}),
            )
        )
    return tuple(populations)


def fit_point(films: PopulationFilms, sensitivity: float) -> FittedPoint:
    """Fit calibrations and threshold. Raises Misconfigured if the ranking does not carry over."""
    from sklearn.linear_model import LogisticRegression

    weights = balanced_weights(films.sick, films.views)
    # The intercept of a view is the common one and its own.
    of_views = [(films.views == view).astype(np.float64) for view in VIEWS[1:]]
    known = np.column_stack([films.logits, *of_views])
    fitted = LogisticRegression(C=10.0).fit(known, films.sick, weights)
    slope, *shifts = (float(value) for value in fitted.coef_[0])
    if slope <= 0:
        raise Misconfigured(
            "The ensemble says less of films with an opacity than of others here: no calibration "
            "mends that."
        )
    common = float(fitted.intercept_[0])
    scalings = {
        view: PlattScaling(slope=slope, intercept=common + shift)
        for view, shift in zip(VIEWS, (0.0, *shifts), strict=True)
    }
    probabilities = FittedPoint(scalings, 0.5).probabilities(films)
    cases = labelled(probabilities[films.sick], probabilities[~films.sick])
    return FittedPoint(scalings, by_sensitivity(cases, sensitivity))


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
            flagged[fold] += point.flags(films.at(fold))
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
    """The figures against everything else, and against each class of it."""
    against = {EVERYTHING_ELSE: ~films.sick}
    against |= {each.replace("_", " "): films.classes == each for each in OTHERS}
    for group, is_in_group in against.items():
        chosen = films.sick | is_in_group
        yield group, group_figures(films.at(chosen), flagged[chosen], seed)


def group_figures(
    films: PopulationFilms, flagged: npt.NDArray[np.float64], seed: int
) -> FiguresAgainst:
    """Figures of sick films against the others, with intervals from a bootstrap over patients.

    flagged: 0 to 1, (n,). What a missing class would be needed for is None.
    """
    values = _measured(films, flagged, np.ones((1, len(flagged))))
    draws = _measured(films, flagged, _drawn_patients(films.patients, seed))

    def interval(name: str) -> Interval | None:
        (value,) = values[name]
        if np.isnan(value):
            return None
        low, high = np.nanpercentile(draws[name], [2.5, 97.5])
        return Interval(float(value), float(low), float(high))

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


def _drawn_patients(patients: npt.NDArray[np.str_], seed: int) -> npt.NDArray[np.float64]:
    """The number of times that each film is drawn with its patient, (draws, n)."""
    _, patient_of = np.unique(patients, return_inverse=True)
    count = int(patient_of.max()) + 1
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return np.asarray(drawn[:, patient_of], dtype=np.float64)


def _measured(
    films: PopulationFilms, flagged: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[np.float64]]:
    """Figures by name, (draws,) each, of films that count as often as weights say, (draws, n).

    NaN for those that need a class that a draw does not have.
    """
    sick, of_sick, of_others = films.sick, weights[:, films.sick], weights[:, ~films.sick]
    ill, well = of_sick.sum(axis=1), of_others.sum(axis=1)
    logits, others = films.logits[sick][:, np.newaxis], films.logits[~sick]
    above = (logits > others) + 0.5 * (logits == others)
    with np.errstate(divide="ignore", invalid="ignore"):
        sensitivity = of_sick @ flagged[sick] / ill
        specificity = 1 - of_others @ flagged[~sick] / well
        figures = {
            "auc": (of_sick @ above * of_others).sum(axis=1) / (ill * well),
            "sensitivity": sensitivity,
            "specificity": specificity,
        }
        for share in PREVALENCES:
            true, false = share * sensitivity, (1 - share) * (1 - specificity)
            missed, passed = share - true, 1 - share - false
            figures |= {
                f"ppv {share}": true / (true + false),
                f"npv {share}": passed / (passed + missed),
            }
    return figures
