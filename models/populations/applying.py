"""The population of a film, and its score as that population states it. Pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from models.populations.population import Population
from readfirst.domain import AgeAndView, Ages, ImageScore
from readfirst.studies.prevalence import at_prevalence

Other = TypeVar("Other")
#: Views in full, by their letters alone, as the meaning of a View Code has them.
SPELLED_OUT = {"POSTEROANTERIOR": "PA", "ANTEROPOSTERIOR": "AP"}


@dataclass(frozen=True, slots=True)
class LogitScaling:
    """A scaling of logits: slope x logit + intercept."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Populations:
    """The populations of an ensemble: the first, by whose calibration it answers, and the others.

    calibration, ages, prevalence: of the first. Without others every film is of the first.
    """

    calibration: LogitScaling = field(default_factory=lambda: LogitScaling(1.0, 0.0))
    ages: Ages | None = None
    prevalence: float | None = None
    others: tuple[Population, ...] = ()

    def of(self, film: AgeAndView) -> Population | None:
        """The population of a film; None: the first, where no other fits or the age is unknown."""
        if film.years is None or (self.ages is not None and _is_within(film.years, self.ages)):
            return None
        fitting = (each for each in self.others if _fits(film.years, film.view, each))
        return next(fitting, None)

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each other population, at the prevalence that the ensemble presupposes.

        So one prevalence of a site restates all scores of an ensemble, and keeps all flags.
        """
        return {
            each.name: at_prevalence(each.threshold, each.prevalence, self.prevalence)
            for each in self.others
        }

    def stated(self, score: ImageScore, film: AgeAndView) -> ImageScore:
        """A score by the calibration of the first population, by that of its film's population."""
        population = self.of(film)
        if population is None:
            return score
        scaling = self._scaling(population)
        return replace(
            score,
            probability=_scaled(score.probability, scaling),
            members={name: _scaled(value, scaling) for name, value in score.members.items()},
            population=population.name,
        )

    def all_stated(
        self, results: Sequence[ImageScore | Other], films: Sequence[AgeAndView]
    ) -> list[ImageScore | Other]:
        """Answers on films, each score by the population of its film; what is no score stays."""
        return [
            self.stated(result, film) if isinstance(result, ImageScore) else result
            for result, film in zip(results, films, strict=True)
        ]

    def _scaling(self, population: Population) -> LogitScaling:
        """From logits of the first population to those of another, at the same prevalence."""
        slope = population.slope / self.calibration.slope
        shift = 0.0
        if self.prevalence is not None:
            shift = _log_odds(self.prevalence) - _log_odds(population.prevalence)
        intercept = population.intercept - slope * self.calibration.intercept + shift
        return LogitScaling(slope, intercept)


def named_views(view: str) -> set[str]:
    """The words of a View Position, in capitals; `postero-anterior` is `PA` besides."""
    words = set(re.findall(r"[A-Z]+", view.upper()))
    letters = re.sub(r"[^A-Z]", "", view.upper())
    return words | {short for full, short in SPELLED_OUT.items() if full in letters}


def _fits(years: int, view: str | None, population: Population) -> bool:
    if not _is_within(years, population.ages):
        return False
    return not view or not population.views or bool(named_views(view) & set(population.views))


def _is_within(years: int, ages: Ages) -> bool:
    return ages.from_years <= years <= ages.to_years


def _scaled(probability: float, scaling: LogitScaling) -> float:
    if not 0 < probability < 1:
        return probability
    logit = scaling.slope * _log_odds(probability) + scaling.intercept
    # Written so that neither end overflows.
    return 1 / (1 + math.exp(-logit)) if logit > 0 else math.exp(logit) / (1 + math.exp(logit))


def _log_odds(probability: float) -> float:
    return math.log(probability) - math.log1p(-probability)
