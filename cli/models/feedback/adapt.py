"""`models adapt`."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import err, moment
from cli.common.database import opened
from cli.common.progress import tracked
from cli.models.ensembles import find_folder
from cli.models.feedback.adaptation_report import print_adaptation, say_if_not_better
from cli.models.feedback.adapted_candidate import AdaptedSite, make_candidate
from cli.models.feedback.candidates import free_version
from cli.models.feedback.site_films import (
    LabelledFiles,
    ReadFilms,
    films_of_folder,
    films_of_verdicts,
    read_films,
    without_other_images,
)
from cli.models.options import Json, Labels
from db.ensembles.thresholds import active_thresholds
from db.ensembles.versions import active_ensemble
from models.manifest import Manifest, PlattScaling, load_manifest
from readfirst.domain import Ages
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings
from readfirst.studies.prevalence import at_prevalence

if TYPE_CHECKING:
    from laboratory.adaptation.cross_validation import AdaptationResult
    from laboratory.adaptation.films import LabelledFeatures
    from laboratory.adaptation.levels import Aim, OperatingRule
    from models.ensemble import NetworkEnsemble

Model = Annotated[
    str | None, typer.Argument(help="Version of the ensemble. Default: the active one.")
]
Films = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Folder with NORMAL and PNEUMONIA in it; with --labels, where the CSV's paths begin.",
    ),
]
FromVerdicts = Annotated[
    bool, typer.Option("--from-verdicts", help="The site's own films, by their last verdicts.")
]
Since = Annotated[
    str | None, typer.Option(help="Only verdicts since: `2h`, `3d`, or a date in the site's zone.")
]
Version = Annotated[
    str | None,
    typer.Option(help="Version of the candidate. Default: that of the ensemble, and .a1, …"),
]
Sensitivity = Annotated[
    float | None,
    typer.Option(min=0.01, max=1, help="The highest threshold that flags this share of the sick."),
]
MissCost = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        max=1000,
        help="The cheapest threshold, where one missed pneumonia weighs so many false alarms, at a "
        "prevalence of 20 %. Without this and --sensitivity, as many of the sick are flagged as "
        "now.",
    ),
]
Least = Annotated[
    int, typer.Option(min=50, max=100_000, help="Fewest films of each class for a linear layer.")
]
Population = Annotated[
    str, typer.Option(help="Who these patients are, as `Adults of our emergency department`.")
]
AgeRange = Annotated[
    str | None,
    typer.Option(
        "--ages",
        help="Their ages in completed years, as 18-90. Without it, nobody knows them, and every "
        "score of the candidate is marked as not validated.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the evidence, and make no candidate.")
]
Anyway = Annotated[
    bool,
    typer.Option("--anyway", help="Make a calibrated candidate that is not shown better, too."),
]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Decides which patients share a fold.")
]
AGES = re.compile(r"(\d{1,3})-(\d{1,3})")


def adapt(
    model: Model = None,
    *,
    data: Films = None,
    labels: Labels = None,
    from_verdicts: FromVerdicts = False,
    since: Since = None,
    version: Version = None,
    sensitivity: Sensitivity = None,
    miss_cost: MissCost = None,
    least: Least = 100,
    population: Population = "Patients of one site",
    ages: AgeRange = None,
    dry_run: DryRun = False,
    anyway: Anyway = False,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Fit an ensemble to labelled films of this site, and propose a candidate if it is better.

    Three levels are compared on patients that they were not fitted to: calibration, an operating
    point besides, and new last units of the frozen networks besides. The ensemble itself stays as
    it is, and nothing is promoted.
    """
    from laboratory.adaptation.levels import Aim

    settings, of_ages = load_settings(), _ages(ages)
    _check_options(data, labels, from_verdicts, since)
    if sensitivity is not None and miss_cost is not None:
        raise Misconfigured("Choose one of --sensitivity and --miss-cost.")
    source, rule = _ensemble(model, settings)
    new_version = free_version(load_manifest(source).version, version, "a", settings)
    labelled = _labelled(data, labels, moment(since, settings), settings)
    site = _read(source, rule, labelled, settings)
    result = _fit(site, Aim(sensitivity=sensitivity, miss_cost=miss_cost), least, seed)
    print_adaptation(site, result, settings, json=json)
    if dry_run:
        return
    if result.best is None and not anyway:
        say_if_not_better()
        raise typer.Exit(1)
    make_candidate(site, result, new_version, population, of_ages, settings)


def _check_options(
    data: Path | None, labels: Path | None, from_verdicts: bool, since: str | None
) -> None:
    if (data is None) is not from_verdicts:
        raise Misconfigured("Name the films by --data DIR, or take them --from-verdicts.")
    if labels is not None and data is None:
        raise Misconfigured("--labels goes with --data.")
    if since is not None and data is not None:
        raise Misconfigured("--since goes with --from-verdicts.")


def _ages(text: str | None) -> Ages | None:
    if text is None:
        return None
    match = AGES.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise Misconfigured(f"--ages {text!r} is not understood. Write it as 18-90.")
    return Ages(int(match[1]), int(match[2]))


def _ensemble(model: str | None, settings: Settings) -> tuple[Path, OperatingRule]:
    """The folder of the ensemble, and its calibration and threshold as this site uses them."""
    from laboratory.adaptation.levels import OperatingRule

    with opened(settings) as database, database.read() as session:
        active_version = active_ensemble(session)
        source = find_folder(model or (active_version.version if active_version else None))
        manifest = load_manifest(source)
        active = active_thresholds(session).by_ensemble.get(manifest.version)
    threshold = active.value if active else manifest.threshold

    def stated(probability: float) -> float:
        return at_prevalence(probability, manifest.prevalence, settings.prevalence)

    return source, OperatingRule(_stated(manifest, settings), stated(threshold))


def _stated(manifest: Manifest, settings: Settings) -> PlattScaling:
    """The calibration by which the site states probabilities (READFIRST_PREVALENCE)."""
    from models.combining import logit

    scaling = manifest.calibration
    shift = logit(at_prevalence(0.5, manifest.prevalence, settings.prevalence))
    return PlattScaling(slope=scaling.slope, intercept=scaling.intercept + float(shift))


def _labelled(
    data: Path | None, labels: Path | None, since: datetime | None, settings: Settings
) -> LabelledFiles:
    if data is None:
        return films_of_verdicts(settings, since)
    with err.status("Reading the table …"):
        return films_of_folder(data, labels)


def _read(
    source: Path, rule: OperatingRule, labelled: LabelledFiles, settings: Settings
) -> AdaptedSite:
    """Read the films, and compute their features."""
    from models.ensemble import load_ensemble

    read = read_films(labelled, settings)
    ensemble = load_ensemble(source, settings.precision)
    read = without_other_images(read, ensemble)
    features = _features(read, ensemble)
    return AdaptedSite(
        source=source,
        before=ensemble.manifest,
        rule=rule,
        labelled=labelled,
        read=read,
        features=features,
    )


def _features(read: ReadFilms, ensemble: NetworkEnsemble) -> LabelledFeatures:
    import numpy as np

    from laboratory.adaptation.features import batches, extract_features
    from laboratory.adaptation.films import LabelledFeatures

    number = len(batches(len(read.films)))
    of_films = extract_features(
        ensemble, read.images, lambda parts: tracked(parts, "Computing features, batches", number)
    )
    return LabelledFeatures(
        labels=np.array([film.sick for film in read.films], dtype=np.int64),
        patients=np.array([film.patient for film in read.films], dtype=np.str_),
        logits=of_films.logits,
        features=of_films.features.astype(np.float64),
    )


def _fit(site: AdaptedSite, aim: Aim, least: int, seed: int) -> AdaptationResult:
    from laboratory.adaptation.cross_validation import adapt as fit
    from laboratory.evaluation.patient_folds import FOLDS

    return fit(
        site.features,
        site.rule,
        aim,
        least_for_layer=least,
        seed=seed,
        progress=lambda folds: tracked(folds, "Fitting, and measuring on other patients", FOLDS),
    )
