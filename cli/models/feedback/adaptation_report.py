"""The evidence of an adaptation, as people and programs read it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from cli.common.console import notice, print_json, print_table
from cli.models.feedback.adapted_candidate import AdaptedSite, evidence_of
from cli.models.feedback.site_films import print_left_out
from cli.models.figures import with_interval
from readfirst.settings import Settings

if TYPE_CHECKING:
    from laboratory.adaptation.cross_validation import AdaptationResult
    from models.manifest import Adaptation, Estimate

#: What people read, by figure.
FIGURES = {
    "auc": "AUC",
    "ece": "Calibration error",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
#: Headings, by level.
LEVELS = {
    "calibration": "Calibration",
    "operating_point": "and operating point",
    "linear_layer": "and linear layer",
}
#: A gain in AUC above which something else than pneumonia may tell the classes apart.
LARGE_GAIN = 0.05


def print_adaptation(
    site: AdaptedSite, result: AdaptationResult, settings: Settings, *, json: bool
) -> None:
    """Print the figures before and after, what was left out, and what to beware of."""
    evidence = evidence_of(site, result)
    if json:
        level = result.best.value if result.best else None
        print_json(
            {
                "best": level,
                "missing_for_linear_layer": dict(result.missing),
                "evidence": evidence.model_dump(mode="json"),
                "left_out": [asdict(film) for film in site.read.left_out],
            }
        )
        return
    print_left_out(site.read.left_out)
    _print_figures(evidence)
    _say_what_counts(evidence, result, settings)


def say_if_not_better() -> None:
    """Say why no candidate was made."""
    notice("None of this is shown to be better: no candidate was made (see --anyway).", "yellow")


def _print_figures(evidence: Adaptation) -> None:
    levels = list(evidence.figures)
    now = evidence.figures[levels[0]]
    print_table(
        f"Ensemble {evidence.ensemble} on {evidence.films} films ({evidence.pneumonia} pneumonia) "
        f"of {evidence.patients} patients",
        ("Figure", "Now", *(LEVELS[level] for level in levels)),
        [
            (
                name,
                with_interval(now[figure].before),
                *(with_interval(evidence.figures[level][figure].after) for level in levels),
            )
            for figure, name in FIGURES.items()
        ],
    )
    print_table(
        "Differences to now",
        ("Figure", *(LEVELS[level] for level in levels)),
        [
            (
                name,
                *(_change(evidence.figures[level][figure].difference) for level in levels),
            )
            for figure, name in FIGURES.items()
        ],
    )


def _change(estimate: Estimate) -> str:
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"


def _say_what_counts(evidence: Adaptation, result: AdaptationResult, settings: Settings) -> None:
    from laboratory.evaluation.missing_cases import missing_text

    notice(
        f"After: by fits to other patients ({evidence.folds} folds). AUC compares films of the "
        "same fold. Choices of threshold and strength are made anew in each."
    )
    if evidence.on == "verdicts":
        notice(
            f"{evidence.blind} films have a blind verdict; of {evidence.influenced} the reader had "
            "seen what an ensemble said, and leans towards it."
        )
    if result.missing:
        notice(f"No linear layer was tried: {missing_text(result.missing)} are missing.", "yellow")
    if result.layer_gain is not None:
        _say_gain(evidence, result)
    if not result.aim.is_stated:
        notice(
            "No aim was stated, so thresholds flag as many of the sick as now; --sensitivity and "
            "--miss-cost choose others."
        )
    if settings.prevalence is not None:
        notice(
            "READFIRST_PREVALENCE goes on restating probabilities: a candidate presupposes the "
            f"share of pneumonia among these films, {evidence.pneumonia / evidence.films:.1%}.",
            "yellow",
        )


def _say_gain(evidence: Adaptation, result: AdaptationResult) -> None:
    gain, strength = result.layer_gain, evidence.strength or 0.0
    if gain is None:
        return
    better = gain.difference.high < 0
    notice(
        f"The linear layer (strength {strength:g}) changes the log loss of the calibration by "
        f"{_change(gain.difference)}: "
        + ("shown to be better." if better else "not shown to be better, so it is not taken."),
        "" if better else "yellow",
    )
    area = evidence.figures["linear_layer"]["auc"].difference.value
    if area > LARGE_GAIN:
        notice(
            f"It raises the AUC by {area:.2f}. So much is seldom pneumonia alone: if the films of "
            "the two classes come from other devices, wards or years, it has learned those. "
            "Measure it on films that were taken and labelled in one way.",
            "yellow",
        )
