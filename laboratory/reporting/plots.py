"""The plots of a report: Matplotlib figures, by its object interface alone."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from laboratory.evaluation.evaluate_ensemble import EvaluatedModel
from laboratory.reporting.curves import precision_recall, roc
from laboratory.reporting.figures import (
    BLUE,
    INK,
    SOFT,
    VERMILION,
    calm,
    calm_figure,
    calm_row,
    empty_figure,
    legend,
    line_style,
    plain,
    point_style,
)
from readfirst.statistics.calibration import Bin
from readfirst.statistics.confusion import Confusion, confusion_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRID = np.linspace(0.005, 0.995, 199)


def confusion_matrix(confusion: Confusion) -> "Figure":
    """Counts, and the share of each row; the stronger the tint, the larger the share."""
    from matplotlib.patches import Rectangle

    figure, axes = calm_figure(4.6, 3.6)
    rows = (
        (confusion.true_positives, confusion.false_negatives),
        (confusion.false_positives, confusion.true_negatives),
    )
    for y, row in enumerate(rows):
        for x, count in enumerate(row):
            share = count / sum(row)
            right = x == y
            axes.add_patch(
                Rectangle(
                    (x - 0.48, y - 0.48),
                    0.96,
                    0.96,
                    facecolor=BLUE if right else VERMILION,
                    alpha=0.08 + 0.42 * share,
                    linewidth=0,
                )
            )
            axes.text(x, y - 0.08, f"{count}", ha="center", va="center", color=INK, fontsize=17)
            axes.text(
                x,
                y + 0.2,
                f"{100 * share:.1f} % of row",
                ha="center",
                va="center",
                color=INK,
                fontsize=9,
            )
    axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), xlabel="model", ylabel="label")
    axes.set_xticks((0, 1), ("flagged", "passed"))
    axes.set_yticks((0, 1), ("pneumonia", "normal"), rotation=90, va="center")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


def roc_plot(models: Sequence[EvaluatedModel]) -> "Figure":
    """ROC curves with their operating points: the whole plane, and its upper left corner."""
    figure, (whole, corner) = calm_row(2, 10.0, 4.6)
    for axes in (whole, corner):
        for index, model in enumerate(models):
            curve = roc(model.labels, model.probabilities)
            at = at_threshold(model)
            label = f"{plain(model.name)} (AUC {model.metrics.auc.value:.3f})"
            axes.plot(curve.x, curve.y, **line_style(index), label=label)
            axes.plot(1 - at.specificity, at.sensitivity, **point_style(index))
        axes.plot((0, 1), (0, 1), color=SOFT, linewidth=0.8, linestyle=":")
        axes.set(xlabel="1 − specificity (share of normal films flagged)", ylabel="sensitivity")
    whole.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    corner.set(xlim=(-0.005, 0.25), ylim=(0.75, 1.005))
    corner.set_title("upper left corner", color=SOFT, fontsize=10, loc="left")
    whole.plot([], [], "o", color=SOFT, markeredgecolor=INK, label="operating point")
    legend(whole, loc="lower right")
    return figure


def precision_recall_plot(model: EvaluatedModel) -> "Figure":
    """Precision over recall, with the operating point and what chance would give."""
    figure, axes = calm_figure(5.4, 4.2)
    curve, at = precision_recall(model.labels, model.probabilities), at_threshold(model)
    axes.plot(curve.x, curve.y, **line_style(0), drawstyle="steps-post", label="model")
    if not math.isnan(at.precision):
        axes.plot(at.sensitivity, at.precision, **point_style(0), label="operating point")
    share = float(np.mean(model.labels))
    axes.axhline(
        share, color=SOFT, linewidth=0.8, linestyle=":", label=f"share of pneumonia, {share:.2f}"
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set(xlabel="recall (sensitivity)", ylabel="precision among these films")
    legend(axes, loc="lower left")
    return figure


def reliability_plot(bins: Sequence[Bin], calibration_error: float) -> "Figure":
    """Observed share over probability, with intervals; below, how many films each bin holds."""
    figure, (above, below) = calm_row(2, 5.4, 5.4, stacked=True, shares=(3, 1))
    full = [b for b in bins if b.count]
    stated = np.array([b.stated for b in full], dtype=float)
    observed = np.array([b.observed.value for b in full], dtype=float)
    low, high = (
        np.array([getattr(b.observed, end) for b in full], dtype=float) for end in ("low", "high")
    )
    above.plot((0, 1), (0, 1), color=SOFT, linewidth=0.8, linestyle=":", label="ideal")
    above.errorbar(
        stated,
        observed,
        yerr=np.clip((observed - low, high - observed), 0, None),
        color=BLUE,
        marker="o",
        markersize=5,
        linewidth=1.4,
        elinewidth=0.9,
        capsize=2,
        label=f"model (ECE {calibration_error:.3f})",
    )
    above.set(ylim=(-0.02, 1.02), ylabel="observed share of pneumonia")
    legend(above, loc="lower right")
    starts = [b.lower for b in bins]
    counts = [b.count for b in bins]
    width = 1 / len(bins)
    below.bar(starts, counts, width=0.94 * width, align="edge", color=BLUE, alpha=0.35)
    for b in full:
        below.annotate(
            f"{b.count}",
            ((b.lower + b.upper) / 2, b.count),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=8,
        )
    _log_counts(below, max(counts))
    below.set(ylabel="films", xlabel="probability of pneumonia")
    for axes in (above, below):
        axes.set_xlim(-0.02, 1.02)
    return figure


def histogram(model: EvaluatedModel) -> "Figure":
    """Histogram of the probabilities in each class; counts on a logarithmic axis."""
    figure, axes = calm_figure(6.4, 3.6)
    edges = np.linspace(0, 1, 21)
    tallest = 0
    for label, name, colour in ((0, "normal", BLUE), (1, "pneumonia", VERMILION)):
        counts, _ = np.histogram(model.probabilities[model.labels == label], edges)
        tallest = max(tallest, int(counts.max()))
        name = f"{name} ({counts.sum()})"
        axes.stairs(counts, edges, fill=True, color=colour, alpha=0.22, linewidth=0, baseline=0.5)
        style = "-" if label else "--"
        axes.stairs(
            counts, edges, color=colour, linewidth=1.5, linestyle=style, baseline=0.5, label=name
        )
    axes.axvline(
        model.threshold, color=INK, linewidth=1.1, label=f"threshold {model.threshold:.3f}"
    )
    _log_counts(axes, tallest)
    axes.set(xlim=(-0.01, 1.01), xlabel="probability of pneumonia", ylabel="films (log scale)")
    legend(axes, loc="upper center", ncols=3)
    return figure


def sweep_plot(model: EvaluatedModel) -> "Figure":
    """Sensitivity, specificity and accuracy over the threshold."""
    figure, axes = calm_figure(6.4, 3.6)
    at = [confusion_at(model.labels, model.probabilities, float(t)) for t in GRID]
    for index, name in enumerate(("sensitivity", "specificity", "accuracy")):
        axes.plot(
            GRID, [getattr(confusion, name) for confusion in at], **line_style(index), label=name
        )
    axes.axvline(model.threshold, color=INK, linewidth=1.1)
    axes.annotate(
        f"{model.threshold:.3f}",
        (model.threshold, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        color=INK,
        fontsize=9,
    )
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel="threshold (probability)", ylabel="share")
    legend(axes, loc="lower center", ncols=3)
    return figure


def training_plot(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> "Figure":
    """Loss and AUC over the epochs, of training and tuning films; a row for each member.

    Raises ValueError if there is no member.
    """
    from matplotlib.ticker import MaxNLocator

    if not curves:
        raise ValueError("no member has curves")
    figure = empty_figure(8.6, 2.6 * len(curves))
    panels = figure.subplots(len(curves), 2, squeeze=False)
    for row, (member, series) in zip(panels, curves.items(), strict=True):
        for axes, name in zip(row, ("loss", "auc"), strict=True):
            calm(axes)
            for index, (key, part) in enumerate(((name, "training"), (f"val_{name}", "tuning"))):
                values = list(series.get(key, ()))
                epochs = range(1, len(values) + 1)
                axes.plot(epochs, values, **line_style(index), marker=".", label=part)
            title = "loss" if name == "loss" else "AUC"
            axes.set(xlabel="epoch", ylabel=title)
            axes.set_title(plain(f"{member}: {title}"), color=INK, fontsize=10, loc="left")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            legend(axes, loc="best")
    return figure


def at_threshold(model: EvaluatedModel) -> Confusion:
    """Count the model's answers at its threshold."""
    return confusion_at(model.labels, model.probabilities, model.threshold)


def _log_counts(axes: "Axes", tallest: int) -> None:
    axes.set_yscale("log")
    axes.set_ylim(0.5, 4 * max(tallest, 2))
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_minor_formatter("")
