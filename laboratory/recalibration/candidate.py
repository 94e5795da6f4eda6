"""A recalibrated ensemble: the same networks under a version of its own, in a folder of its own."""

import os
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from laboratory.assembly.make_reference import write_reference
from models.combining import calibrated, logit, sigmoid
from models.manifest import (
    EnsembleMember,
    Manifest,
    PixelCheck,
    PlattScaling,
    Recalibration,
    check_files,
    write_manifest,
)
from models.reference import load_reference
from models.unlike.manifest_part import UnlikeCheck
from readfirst.monitoring.reference import Reference


def recalibrated(
    manifest: Manifest,
    recalibration: Recalibration,
    *,
    version: str,
    prevalence: float,
    now: datetime,
) -> Manifest:
    """The manifest of an ensemble whose logits are scaled once more.

    The threshold moves with the probabilities, so the same films are flagged, and all metrics hold
    but the calibration error. prevalence: share of pneumonia that its probabilities presuppose.
    """
    scaling = PlattScaling(slope=recalibration.slope, intercept=recalibration.intercept)
    ece = recalibration.figures["ece"].after
    return manifest.model_copy(
        update={
            "version": version,
            "created": now.isoformat(timespec="seconds"),
            "calibration": manifest.calibration.then(scaling),
            "prevalence": prevalence,
            "threshold": scaled(manifest.threshold, scaling),
            "metrics": manifest.metrics.model_copy(
                update={"ece": ece, "ece_at_own_prevalence": None}
            ),
            "recalibration": recalibration,
            "reference": None,
            "golden": None,
        }
    )


def scaled(probability: float, scaling: PlattScaling) -> float:
    """The probability that a scaling of logits makes of another one."""
    return float(sigmoid(calibrated(logit(probability), scaling)))


def write_candidate(source: Path, before: Manifest, manifest: Manifest, folder: Path) -> None:
    """Lay a recalibrated ensemble into a new folder: networks as they are, reference moved.

    source: the folder of the earlier one. Golden scores are still to be made. Raises Misconfigured
    if a file of the earlier one is missing or garbled.
    """
    check_files(source, before)
    folder.mkdir(parents=True)
    link_networks(source, before, folder)
    write_manifest(folder, manifest)
    reference, recalibration = load_reference(source, before), manifest.recalibration
    if reference is not None and recalibration is not None:
        scaling = PlattScaling(slope=recalibration.slope, intercept=recalibration.intercept)
        write_reference(folder, moved(reference, scaling, manifest.version))


def moved(reference: Reference, scaling: PlattScaling, version: str) -> Reference:
    """The reference of the same films under scaled logits: only the bounds of its bins move."""
    edges = tuple(scaled(edge, scaling) for edge in reference.scores.edges)
    scores = replace(reference.scores, edges=edges)
    return replace(reference, ensemble_version=version, scores=scores)


def link_networks(source: Path, manifest: Manifest, folder: Path) -> None:
    """Lay the networks of an ensemble, and what reads them, into another folder."""
    for part in manifest.parts:
        if isinstance(part, EnsembleMember | PixelCheck | UnlikeCheck):
            _link(source / part.file, folder / part.file)


def _link(source: Path, target: Path) -> None:
    """Make the same file known in another folder, or copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
