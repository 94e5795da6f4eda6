"""`models recalibrate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import err, notice, print_json, print_table
from cli.common.database import opened
from cli.models.ensembles import find_folder
from cli.models.feedback.candidates import add_candidate, free_version
from cli.models.figures import with_interval
from cli.models.options import Json, Seed
from db.ensembles.thresholds import ActiveThreshold, active_thresholds
from db.ensembles.versions import required_active
from db.feedback.labelled_scores import LabelledScoreRecord, labelled_scores
from models.manifest import (
    Manifest,
    PlattScaling,
    Recalibration,
    load_manifest,
)
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings
from readfirst.studies.prevalence import all_at_prevalence

if TYPE_CHECKING:
    from laboratory.recalibration.fit import FittedCalibration, LabelledStudies

FIGURES = {"ece": "Calibration error", "brier": "Brier score", "log_loss": "Log loss"}


def recalibrate(
    model: Annotated[
        str | None, typer.Argument(help="Version of the ensemble. Default: the active one.")
    ] = None,
    *,
    version: Annotated[
        str | None,
        typer.Option(help="Version of the candidate. Default: that of the ensemble, and .r1, …"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the evidence, and make no candidate.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Make a candidate that is not shown to be better, too."),
    ] = False,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Propose a candidate whose probabilities fit this site's verdicts.

    The networks stay, the same films are flagged, and nothing is promoted: `models promote` is for
    you to say, once you have seen the evidence.
    """
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        before = model or required_active(session).version
        records = labelled_scores(session, before)
        threshold = active_thresholds(session).by_ensemble.get(before)
    manifest = load_manifest(find_folder(before))
    if manifest.version != before:
        raise Misconfigured("Name an ensemble of this site by its version.")
    new_version = free_version(before, version, "r", settings)
    fitted, studies = _fitted(records, manifest, settings, seed)
    evidence = _evidence(before, fitted, studies, records)
    if json:
        print_json(evidence)
    else:
        _print_evidence(evidence, fitted, manifest, settings)
    if dry_run:
        return
    if not fitted.is_better and not anyway:
        notice("That is not shown to be better: no candidate was made (see --anyway).", "yellow")
        raise typer.Exit(1)
    _make(settings, evidence, new_version, fitted.prevalence)
    _say_next(new_version, evidence, manifest, threshold)


def _fitted(
    records: Sequence[LabelledScoreRecord], manifest: Manifest, settings: Settings, seed: int
) -> tuple[FittedCalibration, LabelledStudies]:
    import numpy as np

    from laboratory.recalibration.fit import LabelledStudies, fit_calibration
    from worker.feedback.pseudonyms import patient_key

    probabilities = np.array([record.probability for record in records], dtype=np.float64)
    studies = LabelledStudies(
        labels=np.array([record.sick for record in records], dtype=np.int64),
        probabilities=probabilities,
        stated=all_at_prevalence(probabilities, manifest.prevalence, settings.prevalence),
        patients=np.array(
            [
                patient_key(
                    record.patient_id,
                    record.patient_name,
                    record.patient_birth_date,
                    record.study_instance_uid,
                )
                for record in records
            ],
            dtype=np.str_,
        ),
    )
    with err.status("Fitting, and measuring on other patients …"):
        return fit_calibration(studies, seed), studies


def _evidence(
    before: str,
    fitted: FittedCalibration,
    studies: LabelledStudies,
    records: Sequence[LabelledScoreRecord],
) -> Recalibration:
    from laboratory.evaluation.patient_folds import FOLDS

    return Recalibration(
        ensemble=before,
        slope=fitted.scaling.slope,
        intercept=fitted.scaling.intercept,
        studies=len(studies.labels),
        patients=len(set(studies.patients)),
        pneumonia=int(studies.labels.sum()),
        blind=sum(record.blind for record in records),
        influenced=sum(record.influenced for record in records),
        folds=FOLDS,
        figures=dict(fitted.figures),
        auc=fitted.auc,
    )


def _print_evidence(
    evidence: Recalibration, fitted: FittedCalibration, manifest: Manifest, settings: Settings
) -> None:
    print_table(
        f"Ensemble {evidence.ensemble} on {evidence.studies} studies with a verdict "
        f"({evidence.pneumonia} pneumonia) of {evidence.patients} patients",
        ("Figure", "Now", "After", "Difference"),
        [
            (FIGURES[name], *map(with_interval, (row.before, row.after, row.difference)))
            for name, row in evidence.figures.items()
        ]
        + [("AUC", with_interval(evidence.auc), "the same", "")],
    )
    notice(
        f"After: by calibrations that were fitted to other patients ({evidence.folds} folds). "
        f"{evidence.blind} verdicts were blind; {evidence.influenced} readers had seen what this "
        "ensemble said, and lean towards it."
    )
    stated = settings.prevalence or manifest.prevalence
    notice(
        f"{fitted.prevalence:.1%} of these studies show pneumonia; "
        + ("nobody has stated a share." if stated is None else f"now {stated:.1%} is presupposed.")
    )
    if settings.prevalence is not None:
        notice(
            "READFIRST_PREVALENCE goes on restating probabilities: set it to the share of all "
            "studies at this site, or leave it out to see those of the verdicts.",
            "yellow",
        )


def _make(settings: Settings, evidence: Recalibration, version: str, prevalence: float) -> None:
    from laboratory.recalibration.candidate import recalibrated, write_candidate

    source, now = find_folder(evidence.ensemble), datetime.now(UTC)
    before = load_manifest(source)
    manifest = recalibrated(before, evidence, version=version, prevalence=prevalence, now=now)
    add_candidate(settings, lambda folder: write_candidate(source, before, manifest, folder), now)


def _say_next(
    version: str, evidence: Recalibration, manifest: Manifest, threshold: ActiveThreshold | None
) -> None:
    from laboratory.recalibration.candidate import scaled

    notice(
        f"Ensemble {version} is a candidate. It flags the films that {evidence.ensemble} flags "
        "by the threshold that it came with. `readfirst models promote` makes it active."
    )
    if threshold is not None and threshold.value != manifest.threshold:
        scaling = PlattScaling(slope=evidence.slope, intercept=evidence.intercept)
        same = scaled(threshold.value, scaling)
        notice(
            f"This site has chosen another threshold for {evidence.ensemble}; the same films are "
            f"flagged by `readfirst models threshold {version} --value {same:.6f}`."
        )
