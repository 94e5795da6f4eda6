"""An adapted ensemble, in a folder of its own: new last units, calibration, threshold, manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from laboratory.adaptation.features import LastUnit, last_unit
from laboratory.adaptation.levels import Aim
from laboratory.adaptation.linear_layer import LinearLayer
from laboratory.recalibration.candidate import link_networks
from models.manifest import (
    Adaptation,
    EnsembleMember,
    Manifest,
    Metrics,
    OperatingPoint,
    PlattScaling,
    check_files,
    write_manifest,
)
from models.networks import build
from models.weights import load_weights, save_weights
from readfirst.domain import Ages

#: Slope of the calibration behind new last units. Members' probabilities are kept so far from 0 and
#: 1 that their logits end at 13.8 (`models.combining`): times this, far beyond what films get.
SLOPE_OF_UNITS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptedFacts:
    """The facts of an adapted ensemble that its manifest states.

    threshold: a probability. ages: of the patients of its films; None if nobody knows them.
    population: who they are, a phrase. metrics: on patients that it was not fitted to.
    """

    version: str
    created: datetime
    threshold: float
    aim: Aim
    metrics: Metrics
    ages: Ages | None
    population: str


def adapted(
    manifest: Manifest, adaptation: Adaptation, calibration: PlattScaling, facts: AdaptedFacts
) -> Manifest:
    """The manifest of an ensemble that was fitted to a site's films. Its files are to be written.

    It holds for those films alone: reference, golden scores, earlier evidence, and the check of
    films unlike the earlier ones are not its own.
    """
    films = (
        f"{adaptation.films} films ({adaptation.pneumonia} pneumonia) of "
        f"{adaptation.patients} patients"
    )
    return manifest.model_copy(
        update={
            "version": facts.version,
            "created": facts.created.isoformat(timespec="seconds"),
            "calibration": calibration,
            "prevalence": adaptation.pneumonia / adaptation.films,
            "threshold": facts.threshold,
            "operating_point": OperatingPoint(
                method=_method(facts.aim, adaptation),
                images=adaptation.films,
                patients=adaptation.patients,
                stated_sensitivity=facts.aim.sensitivity,
                miss_cost=facts.aim.miss_cost,
            ),
            "metrics": facts.metrics,
            "recalibration": None,
            "adaptation": adaptation,
            # Calibrations of other populations are of the logits before.
            "populations": (),
            "reference": None,
            "golden": None,
            "unlike": None,
            "training": f"{manifest.training} Then adapted to {films}, "
            f"measured by a cross-validation over patients in {adaptation.folds} folds.",
            "population": f"{facts.population}: adapted on {films}. "
            f"Its networks were trained on: {manifest.population}",
            "ages": facts.ages,
        }
    )


def _method(aim: Aim, adaptation: Adaptation) -> str:
    rule = f"the threshold that flags as many of the sick as {adaptation.ensemble} does"
    if aim.sensitivity is not None:
        rule = f"the highest threshold with a sensitivity of {aim.sensitivity:g}"
    if aim.miss_cost is not None:
        rule = "the threshold whose cost at a prevalence of 20 % (missed pneumonias, weighed, and "
        rule += "false alarms) is least"
    if adaptation.level == "calibration":
        rule = f"the threshold of {adaptation.ensemble}, which moved with the probabilities"
    return f"{rule}, on the films of the site"


def calibration_of(layer: LinearLayer) -> PlattScaling:
    """The calibration that stands behind the new last units of a linear layer."""
    return PlattScaling(slope=SLOPE_OF_UNITS, intercept=layer.scaling.intercept)


def new_units(
    units: Sequence[LastUnit], weights: Sequence[float], layer: LinearLayer, slope: float
) -> list[LastUnit]:
    """The last units by which an ensemble gives the logits of a linear layer.

    units, weights: of the members as they are. slope: above 0, of the calibration that stands
    behind the new units; its intercept is that of the layer's scaling.
    """
    kept = layer.scaling.slope / slope
    cuts = np.cumsum([len(unit.kernel) for unit in units])[:-1]
    parts = zip(np.split(layer.change, cuts), np.split(layer.centre, cuts), strict=True)
    changed = []
    for unit, weight, (change, centre) in zip(units, weights, parts, strict=True):
        by_feature = change / (slope * weight)
        bias = kept * unit.bias - float(centre @ by_feature)
        changed.append(LastUnit(kept * unit.kernel + by_feature, bias))
    return changed


def write_adapted(
    source: Path, before: Manifest, manifest: Manifest, layer: LinearLayer | None, folder: Path
) -> None:
    """Lay an adapted ensemble into a new folder.

    source: the folder of the earlier one. layer: None where its networks stay as they are. Golden
    scores and reference are still to be made. Raises Misconfigured if a file of the earlier one
    is missing or garbled.
    """
    check_files(source, before)
    folder.mkdir(parents=True)
    link_networks(source, manifest, folder)
    if layer is not None:
        members = _write_members(source, before, layer, manifest.calibration.slope, folder)
        manifest = manifest.model_copy(update={"members": members})
    write_manifest(folder, manifest)


def _write_members(
    source: Path, before: Manifest, layer: LinearLayer, slope: float, folder: Path
) -> tuple[EnsembleMember, ...]:
    networks = []
    for member in before.members:
        network = build(member.network, member.input_size)
        load_weights(network, source / member.file)
        networks.append(network)
    units = new_units(
        [last_unit(network) for network in networks],
        [member.weight for member in before.members],
        layer,
        slope,
    )
    members = []
    for member, network, unit in zip(before.members, networks, units, strict=True):
        network.layers[-1].set_weights([unit.kernel[:, np.newaxis], np.array([unit.bias])])
        path = folder / member.file
        # It may be the very file of the earlier ensemble.
        path.unlink()
        members.append(member.model_copy(update={"sha256": save_weights(network, path)}))
    return tuple(members)
