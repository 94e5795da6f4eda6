"""`models fit-population`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common.console import err, notice, print_json, print_table
from cli.models.ensembles import find_folder, is_known_here
from cli.models.options import Json, Seed
from models.manifest import Manifest, load_manifest, write_manifest
from models.populations.population import FiguresAgainst, Population
from readfirst.domain import Ages
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings
from readfirst.statistics.operating_points import Interval

#: Where the films are from, unless it is said otherwise.
SOURCE = (
    "NIH ChestX-ray14 (NIH Clinical Center, USA; Wang et al. 2017), with the classes of "
    "radiologists of the RSNA Pneumonia Detection Challenge 2018"
)


def fit_population(
    ensemble: Annotated[
        str, typer.Argument(help="Folder of an ensemble, or its version, that is not yet added.")
    ],
    elsewhere: Annotated[
        Path,
        typer.Option(exists=True, file_okay=False, help="Folder with the table films.csv in it."),
    ],
    *,
    name: Annotated[str, typer.Option(help="Name of it; the view follows.")] = "adults",
    from_years: Annotated[int, typer.Option(min=0, max=150, help="Youngest age in it.")] = 18,
    to_years: Annotated[int, typer.Option(min=0, max=150, help="Oldest age in it.")] = 115,
    sensitivity: Annotated[
        float, typer.Option(min=0.5, max=1, help="The threshold flags this share of the opacities.")
    ] = 0.9,
    source: Annotated[str, typer.Option(help="Where the films are from, for the manifest.")] = (
        SOURCE
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the figures, and write nothing.")
    ] = False,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Fit a further population, as adults, and write it into an ensemble's manifest, by view.

    The networks stay. Calibrations and threshold are fitted to films that radiologists have
    read; the figures are cross-validated by patient. An ensemble that came with ReadFirst, or that
    this site knows, is never changed.
    """
    from laboratory.populations.write import check_writable, with_populations

    settings = load_settings()
    folder = find_folder(ensemble)
    manifest = load_manifest(folder)
    if not dry_run:
        check_writable(folder, known=is_known_here(manifest.version, settings))
    if from_years > to_years:
        raise Misconfigured("--from-years is above --to-years.")
    populations = _fitted(
        folder, elsewhere, name, Ages(from_years, to_years), sensitivity, source, seed, settings
    )
    changed = with_populations(manifest, populations)
    if json:
        print_json(populations)
    else:
        for population in populations:
            print_population(population, manifest)
    if not dry_run:
        write_manifest(folder, changed)
        names = ", ".join(population.name for population in populations)
        notice(f"Written into {folder}: {names}.")


def _fitted(
    folder: Path,
    elsewhere: Path,
    name: str,
    ages: Ages,
    sensitivity: float,
    source: str,
    seed: int,
    settings: Settings,
) -> tuple[Population, ...]:
    from laboratory.data.elsewhere import read_elsewhere
    from laboratory.populations.films import scored_films, select_films
    from laboratory.populations.fit import fit_populations
    from models.ensemble import load_ensemble

    fitted, copies = select_films(read_elsewhere(elsewhere), ages)
    with err.status("Loading the networks …"):
        networks = load_ensemble(folder, settings.precision)
    with err.status(f"Scoring {len(fitted) + len(copies)} films …"):
        films, of_copies = scored_films(networks, fitted), scored_films(networks, copies)
    if films is None:
        raise Misconfigured("There is no film to fit to.")
    with err.status("Fitting, and measuring on other patients …"):
        return fit_populations(
            films,
            of_copies,
            name=name,
            ages=ages,
            sensitivity=sensitivity,
            source=source,
            seed=seed,
        )


def print_population(population: Population, manifest: Manifest) -> None:
    """Print the figures of a population against each group, and what they are of."""
    evidence = population.evidence
    print_table(
        f"{population.name} of ensemble {manifest.version}: {evidence.films} films of "
        f"{evidence.patients} patients, {evidence.sick} with {population.finding}",
        ("Against", "Films", "AUC", "Sensitivity", "Specificity", "PPV", "NPV"),
        [_row(group, figures) for group, figures in evidence.groups.items()],
    )
    notice(
        f"Threshold {population.threshold:.4f} at a prevalence of {population.prevalence:.2f}. "
        f"{evidence.method}"
    )


def _row(group: str, figures: FiguresAgainst) -> tuple[str, ...]:
    ppv = (f"at {each.prevalence:g}: {_interval(each.ppv)}" for each in figures.predictive)
    npv = (f"at {each.prevalence:g}: {_interval(each.npv)}" for each in figures.predictive)
    return (
        group,
        f"{figures.sick} : {figures.others}",
        *map(_interval, (figures.auc, figures.sensitivity, figures.specificity)),
        "\n".join(ppv),
        "\n".join(npv),
    )


def _interval(figure: Interval | None) -> str:
    if figure is None:
        return "–"
    return f"{figure.value:.2f} ({figure.low:.2f}–{figure.high:.2f})"
