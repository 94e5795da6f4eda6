"""The further populations of an ensemble on its card, each with its own figures."""

from collections.abc import Iterator

from models.cards.figures import interval_text, number
from models.cards.layout import CardSection, CardTable, quoted
from models.populations.population import Population
from readfirst.formatting import readable_share
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.statistics.operating_points import Interval
from readfirst.studies.populations import film_finding_text, film_group_text, population_text


def population_section(population: Population) -> CardSection:
    """Write what holds for a population that has an operating point of its own."""
    title = gettext("Further population: {name}").format(name=population_text(population.name))
    return CardSection(
        f"population-{population.name}",
        title,
        (_members_of(population), _point(population), _evidence(population)),
        (),
        tuple(_tables(population)),
    )


def _members_of(population: Population) -> str:
    text = gettext("Ages: {first} to {last} years, both included. Views: {views}.")
    return text.format(
        first=population.ages.from_years,
        last=population.ages.to_years,
        views=", ".join(population.views) or gettext("all frontal ones"),
    )


def _point(population: Population) -> str:
    text = gettext(
        "Their films are scored by the same networks, with a calibration of their own, and flagged "
        "from {threshold} on, for the finding {finding}. Their probabilities presuppose that "
        "{share} of the films show it. The rules of the site say whether they are refused or "
        "marked, as before."
    )
    return text.format(
        threshold=number(population.threshold),
        finding=film_finding_text(population.finding),
        share=readable_share(population.prevalence),
    )


def _evidence(population: Population) -> str:
    evidence = population.evidence
    text = gettext(
        "Films: {films} of {patients} patients, {sick} with the finding, from {source}. The "
        "figures are by fits to other patients, in {folds} parts. Method: {method}."
    )
    return text.format(
        films=number_text(evidence.films),
        patients=number_text(evidence.patients),
        sick=number_text(evidence.sick),
        source=quoted(evidence.source.rstrip(".")),
        folds=evidence.folds,
        method=quoted(evidence.method.rstrip(".")),
    )


def _tables(population: Population) -> Iterator[CardTable]:
    groups = population.evidence.groups
    yield CardTable(
        gettext("Films with the finding against others, at the threshold"),
        (
            gettext("Against"),
            gettext("Films"),
            "AUC",
            gettext("Sensitivity"),
            gettext("Specificity"),
        ),
        tuple(
            (
                film_group_text(name),
                f"{number_text(each.sick)} / {number_text(each.others)}",
                *map(_cell, (each.auc, each.sensitivity, each.specificity)),
            )
            for name, each in groups.items()
        ),
    )
    predictive = tuple(
        (
            film_group_text(name),
            readable_share(values.prevalence),
            _cell(values.ppv),
            _cell(values.npv),
        )
        for name, each in groups.items()
        for values in each.predictive
    )
    if predictive:
        columns = (
            gettext("Against"),
            gettext("Prevalence"),
            gettext("Positive predictive value"),
            gettext("Negative predictive value"),
        )
        yield CardTable(gettext("Predictive values"), columns, predictive)


def _cell(interval: Interval | None) -> str:
    return "–" if interval is None else interval_text(interval)
