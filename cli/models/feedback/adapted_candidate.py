"""The candidate that an adaptation makes, and the evidence in its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.common.console import notice
from cli.models.feedback.candidates import add_candidate
from cli.models.feedback.site_films import OTHER_IMAGE, LabelledFiles, ReadFilms, counts_of
from models.manifest import Adaptation, Manifest
from readfirst.domain import Ages
from readfirst.settings import Settings

if TYPE_CHECKING:
    from laboratory.adaptation.cross_validation import AdaptationResult
    from laboratory.adaptation.films import LabelledFeatures
    from laboratory.adaptation.levels import AdaptationLevel, OperatingRule
    from readfirst.monitoring.reference import Reference

#: By level, what is other.
LEVEL_WORDS = {
    "calibration": "calibration, which flags the same films",
    "operating_point": "calibration and threshold",
    "linear_layer": "calibration, threshold and last layer",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdaptedSite:
    """An ensemble, and the films that it is fitted to.

    source, before: its folder and manifest. rule: its calibration and threshold as the site uses
    them. features: of the films that are read.
    """

    source: Path
    before: Manifest
    rule: OperatingRule
    labelled: LabelledFiles
    read: ReadFilms
    features: LabelledFeatures


def level_of(result: AdaptationResult) -> AdaptationLevel:
    """The level of a candidate: the best one, or calibration where none is shown to be better."""
    from laboratory.adaptation.levels import AdaptationLevel

    return result.best or AdaptationLevel.CALIBRATION


def evidence_of(site: AdaptedSite, result: AdaptationResult) -> Adaptation:
    """The evidence as a manifest keeps it."""
    from laboratory.adaptation.levels import AdaptationLevel
    from laboratory.evaluation.patient_folds import FOLDS

    layer = result.levels.get(AdaptationLevel.LINEAR_LAYER)
    return Adaptation(
        ensemble=site.before.version,
        level=level_of(result).value,
        on=site.labelled.on,
        films=len(site.features.labels),
        patients=len(set(site.features.patients)),
        pneumonia=int(site.features.labels.sum()),
        folds=FOLDS,
        strength=layer.layer.strength if layer else None,
        figures={level.value: dict(figures) for level, figures in result.figures.items()},
        layer_gain=result.layer_gain,
        left_out=counts_of(site.read.left_out),
        blind=site.labelled.blind,
        influenced=site.labelled.influenced,
    )


def make_candidate(
    site: AdaptedSite,
    result: AdaptationResult,
    version: str,
    population: str,
    ages: Ages | None,
    settings: Settings,
) -> None:
    """Lay the candidate down beside the others, and add it as any other ensemble."""
    from laboratory.adaptation.candidate import (
        AdaptedFacts,
        adapted,
        calibration_of,
        write_adapted,
    )
    from laboratory.adaptation.cross_validation import metrics_of
    from laboratory.adaptation.levels import AdaptationLevel
    from laboratory.assembly.make_reference import write_reference

    level, now = level_of(result), datetime.now(UTC)
    rule = result.levels[level]
    layer = rule.layer if level is AdaptationLevel.LINEAR_LAYER else None
    calibration = calibration_of(layer) if layer else rule.layer.scaling
    facts = AdaptedFacts(
        version=version,
        created=now,
        threshold=rule.threshold,
        aim=result.aim,
        metrics=metrics_of(site.features, result, level),
        ages=ages,
        population=population,
    )
    manifest = adapted(site.before, evidence_of(site, result), calibration, facts)

    def write(folder: Path) -> None:
        write_adapted(site.source, site.before, manifest, layer, folder)
        write_reference(folder, _reference(site, result, level, version))

    add_candidate(settings, write, now)
    notice(
        f"Ensemble {version} is a candidate: {site.before.version} with another "
        f"{LEVEL_WORDS[level.value]}. `readfirst models promote` makes it active."
    )
    if ages is None:
        notice(
            "Nobody stated the ages of these patients (--ages), so every score of it is marked as "
            "not validated.",
            "yellow",
        )


def _reference(
    site: AdaptedSite, result: AdaptationResult, level: AdaptationLevel, version: str
) -> Reference:
    """What drift is held against: the site's films, each scored by a fit without its patient."""
    from laboratory.assembly.make_reference import ScoredFilms, reference_of
    from readfirst.monitoring.reference import PixelCheckRefusals

    labels = site.features.labels
    scored = ScoredFilms(
        result.held_out[level].probabilities,
        labels,
        site.read.images,
        result.levels[level].threshold,
    )
    refused = [
        sum(film.sick is sick for film in site.read.left_out if film.reason == OTHER_IMAGE)
        for sick in (True, False)
    ]
    present = (int(labels.sum()), int((labels == 0).sum()))
    sick, healthy = (
        (number, number + others) for number, others in zip(refused, present, strict=True)
    )
    return reference_of(
        version, f"of the site, {len(labels)} films", scored, PixelCheckRefusals(sick, healthy)
    )
