"""A further population as administrators see it: its operating point, and its figures."""

from dataclasses import dataclass

from models.populations.population import FiguresAgainst, Population
from readfirst.domain import Ages


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRecord:
    """A population of an ensemble besides its first.

    threshold: as the ensemble gives probabilities. source: of the films of its figures, which are
    by the name of the group that those with the finding are held against.
    """

    name: str
    ages: Ages
    views: tuple[str, ...]
    finding: str
    threshold: float
    films: int
    patients: int
    sick: int
    source: str
    figures: dict[str, FiguresAgainst]


def population_record(population: Population, threshold: float) -> PopulationRecord:
    """Make the record of a population. threshold: the one that counts at the site."""
    evidence = population.evidence
    return PopulationRecord(
        name=population.name,
        ages=population.ages,
        views=population.views,
        finding=population.finding,
        threshold=threshold,
        films=evidence.films,
        patients=evidence.patients,
        sick=evidence.sick,
        source=evidence.source,
        figures=evidence.groups,
    )
