"""The plot that compares the models of a report."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from laboratory.evaluation.evaluate_ensemble import EvaluatedModel
from laboratory.reporting.curves import precision_recall
from laboratory.reporting.figures import INK, SOFT, calm_figure, line_style, plain, point_style
from laboratory.reporting.plots import at_threshold

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def comparison_plot(models: Sequence[EvaluatedModel]) -> "Figure":
    """Precision against recall: each model is a labelled point on a thin curve.

    The axes show the neighbourhood of the points, not the whole plane.
    """
    figure, axes = calm_figure(8.2, 4.8)
    points = [(index, at_threshold(model)) for index, model in enumerate(models)]
    points = [(index, at) for index, at in points if not math.isnan(at.precision)]
    for index, model in enumerate(models):
        curve = precision_recall(model.labels, model.probabilities)
        style = line_style(index) | {"linewidth": 0.9, "alpha": 0.7}
        axes.plot(curve.x, curve.y, **style, drawstyle="steps-post")
    left = _below([at.sensitivity for _, at in points])
    bottom = _below([at.precision for _, at in points])
    margin = 0.02
    axes.set(
        xlim=(left, 1 + margin * (1 - left)),
        ylim=(bottom, 1 + margin * (1 - bottom)),
        xlabel="recall (sensitivity)",
        ylabel="precision among these films",
    )
    height = 1 - bottom
    points.sort(key=lambda point: (point[1].precision, point[1].sensitivity))
    wanted = [(at.precision - bottom) / height for _, at in points]
    for (index, at), label_y in zip(points, spread(wanted, 0.13, 0.06, 0.94), strict=True):
        axes.annotate(
            f"{plain(models[index].name)}\n"
            f"recall {at.sensitivity:.3f}, precision {at.precision:.3f}",
            xy=(at.sensitivity, at.precision),
            xytext=(1.03, label_y),
            textcoords="axes fraction",
            va="center",
            color=INK,
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.6, "shrinkB": 5},
        )
        axes.plot(at.sensitivity, at.precision, **point_style(index), clip_on=False)
    return figure


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, at least `gap` apart and within the bounds as far as they fit.

    wanted: ascending. Where they cannot fit, they are evenly spaced.
    """
    if len(wanted) < 2:
        return [min(max(value, low), high) for value in wanted]
    gap = min(gap, (high - low) / (len(wanted) - 1))
    places: list[float] = []
    for index, value in enumerate(wanted):
        floor = low + index * gap if not places else places[-1] + gap
        places.append(max(value, floor))
    ceiling = high
    for index in reversed(range(len(places))):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - gap
    return places


def _below(values: Sequence[float]) -> float:
    """Find the start of an axis that ends at 1, so that the values stand in its upper half."""
    lowest = min(values, default=0.0)
    return max(0.0, math.floor(20 * (1 - 2 * max(1 - lowest, 0.025))) / 20)
