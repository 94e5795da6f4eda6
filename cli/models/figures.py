"""Figures of ensembles, as tables show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.common.console import print_table
from models.manifest import Estimate, Manifest, Metrics

if TYPE_CHECKING:
    from laboratory.evaluation.disagreement import Disagreement


def print_metrics(manifest: Manifest, metrics: Metrics, films: str) -> None:
    """Print every figure with its interval, as a table."""
    print_table(
        f"{manifest.version} on {films}: {metrics.images} images ({metrics.pneumonia} pneumonia) "
        f"of {metrics.patients} patients, threshold {manifest.threshold:.3f}",
        ("Figure", "Value", "95 % interval"),
        [
            (name, f"{figure.value:.3f}", f"{figure.low:.3f} – {figure.high:.3f}")
            for name, figure in by_label(metrics).items()
            if figure is not None
        ],
    )


def by_label(metrics: Metrics) -> dict[str, Estimate | None]:
    """Return the figures by the names that people read."""
    return {
        "AUC": metrics.auc,
        "Sensitivity": metrics.sensitivity,
        "Specificity": metrics.specificity,
        "Accuracy": metrics.accuracy,
        "F1": metrics.f1,
        f"PPV at prevalence {metrics.prevalence:g}": metrics.ppv,
        f"NPV at prevalence {metrics.prevalence:g}": metrics.npv,
        "ECE": metrics.ece,
        "ECE at the films' own prevalence": metrics.ece_at_own_prevalence,
    }


def disagreement_text(name: str, disagreement: Disagreement) -> str:
    """Say in a line how often the members disagree, and how much less right the ensemble is."""
    text = f"The members of {name} disagree on {_in_percent(disagreement.share)} of the films"
    if disagreement.wrong is None or disagreement.wrong_otherwise is None:
        return f"{text}."
    return (
        f"{text}; it is wrong on {_in_percent(disagreement.wrong)} of these and on "
        f"{_in_percent(disagreement.wrong_otherwise)} of the others."
    )


def _in_percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f}–{100 * share.high:.1f})"


def with_interval(estimate: Estimate | None) -> str:
    """Write a figure and its interval for a cell."""
    if estimate is None:
        return "–"
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"
