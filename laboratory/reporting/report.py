"""Write a report: `report.html` to look at, `report.json` to compute with."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from laboratory.evaluation.evaluate_ensemble import EvaluatedModel
from laboratory.reporting import plots
from laboratory.reporting.comparison_plot import comparison_plot
from laboratory.reporting.curves import (
    EPOCH,
    Curve,
    Subgroup,
    ThresholdFigures,
    average_precision,
    false_negatives,
    false_positives,
    precision_recall,
    roc,
    subgroups,
    sweep,
)
from laboratory.reporting.figures import as_png, as_svg
from laboratory.reporting.gallery import GALLERY_SIZE, gallery
from models.manifest import Metrics
from readfirst import DISCLAIMER
from readfirst.statistics.calibration import Bin, reliability
from readfirst.statistics.confusion import Confusion, confusion_at

HERE = Path(__file__).parent
HTML_FILE, JSON_FILE = "report.html", "report.json"
#: Figures with an interval, by their names in `Metrics`, as a person reads them.
FIGURES = {
    "auc": "AUC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "accuracy": "accuracy",
    "f1": "F1",
    "ppv": "PPV",
    "npv": "NPV",
    "ece": "expected calibration error",
    "ece_at_own_prevalence": "expected calibration error at the films' own prevalence",
}

#: The same of members that disagree, by their names in `Disagreement`.
DISAGREEMENT = {
    "share": "films on which its members disagree",
    "wrong": "of these wrong at the threshold",
    "wrong_otherwise": "of the others wrong at the threshold",
}


def write_report(evaluated: Sequence[EvaluatedModel], folder: Path) -> Path:
    """Write both files into the folder, made if need be; returns the path of the HTML.

    The same models in the same order always give the same files. Only the films that a gallery
    shows are opened and named. Raises ValueError without a model, or if two share a name.
    """
    if not evaluated:
        raise ValueError("a report needs a model")
    if len({model.name for model in evaluated}) != len(evaluated):
        raise ValueError("two models of a report share a name")
    folder.mkdir(parents=True, exist_ok=True)
    numbers = numbers_of(evaluated)
    text = json.dumps(numbers, indent=1, allow_nan=False, ensure_ascii=False)
    (folder / JSON_FILE).write_text(text + "\n", encoding="utf-8")
    page = folder / HTML_FILE
    page.write_text(_html(numbers, evaluated), encoding="utf-8")
    return page


def numbers_of(evaluated: Sequence[EvaluatedModel]) -> dict[str, Any]:
    """All that the report says, as JSON knows it; what is not finite is None."""
    numbers: dict[str, Any] = _finite(
        {
            "disclaimer": DISCLAIMER,
            "same_films": len({model.paths for model in evaluated}) == 1,
            "models": [_model(model) for model in evaluated],
        }
    )
    return numbers


def _model(model: EvaluatedModel) -> dict[str, Any]:
    labels, probabilities = model.labels, model.probabilities
    confusion = confusion_at(labels, probabilities, model.threshold)
    rows = sweep(labels, probabilities, model.threshold, model.metrics.prevalence)
    return {
        "name": model.name,
        "threshold": model.threshold,
        "metrics": _metrics(model.metrics),
        "disagreement": model.disagreement.model_dump() if model.disagreement else None,
        "confusion": _confusion(confusion),
        "precision": confusion.precision,
        "average_precision": average_precision(labels, probabilities),
        "sweep": [_swept(row, model.threshold) for row in rows],
        "roc": _curve(roc(labels, probabilities), "false_positive_rate", "sensitivity"),
        "precision_recall": _curve(precision_recall(labels, probabilities), "recall", "precision"),
        "reliability": [_bin(b) for b in reliability(labels, probabilities)],
        "subgroups": [_subgroup(group) for group in subgroups(model)],
        "false_negatives": _errors(model, false_negatives(model)),
        "false_positives": _errors(model, false_positives(model)),
        "training": {
            member: {name: list(series) for name, series in figures.items() if name != EPOCH}
            for member, figures in model.curves.items()
        },
    }


def _metrics(metrics: Metrics) -> dict[str, Any]:
    return metrics.model_dump()


def _confusion(confusion: Confusion) -> dict[str, Any]:
    return asdict(confusion)


def _bin(films: Bin) -> dict[str, Any]:
    """start, end: of the probability. low, high: the interval of the observed share."""
    return {
        "start": films.lower,
        "end": films.upper,
        "count": films.count,
        "mean_probability": films.stated,
        "observed": films.observed.value,
        "low": films.observed.low,
        "high": films.observed.high,
    }


def _swept(row: ThresholdFigures, operating_point: float) -> dict[str, Any]:
    return {
        "threshold": row.threshold,
        "operating_point": row.threshold == operating_point,
        "sensitivity": row.confusion.sensitivity,
        "specificity": row.confusion.specificity,
        "ppv": row.ppv,
        "npv": row.npv,
        "f1": row.confusion.f1,
        "accuracy": row.confusion.accuracy,
        **_confusion(row.confusion),
    }


def _curve(curve: Curve, x: str, y: str) -> dict[str, Any]:
    """thresholds: None where nobody is flagged."""
    return {x: curve.x.tolist(), y: curve.y.tolist(), "thresholds": curve.thresholds.tolist()}


def _subgroup(group: Subgroup) -> dict[str, Any]:
    return {**asdict(group), "share_flagged": group.share_flagged}


def _errors(model: EvaluatedModel, indices: Sequence[int]) -> dict[str, Any]:
    """Count the errors, and name the worst by their files: those that a gallery shows."""
    return {
        "images": len(indices),
        "worst": [
            {"film": model.paths[i].name, "probability": float(model.probabilities[i])}
            for i in indices[:GALLERY_SIZE]
        ],
    }


def _finite(value: Any) -> Any:
    """The same value with None in place of every float that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _html(numbers: Mapping[str, Any], evaluated: Sequence[EvaluatedModel]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=_number, percent=_percent, interval=_interval)
    several = len(evaluated) > 1
    return environment.get_template(HTML_FILE).render(
        **numbers,
        names=FIGURES,
        shares_in_doubt=DISAGREEMENT,
        roc_plot=as_svg(plots.roc_plot(evaluated), "all-roc") if several else None,
        comparison_plot=as_svg(comparison_plot(evaluated), "all-pr") if several else None,
        plots=[_plots(model, f"m{number}") for number, model in enumerate(evaluated, 1)],
    )


def _plots(model: EvaluatedModel, prefix: str) -> dict[str, str]:
    """Each plot by name, as SVG, and the galleries as `data:` addresses, if they hold a film."""
    confusion = confusion_at(model.labels, model.probabilities, model.threshold)
    bins = reliability(model.labels, model.probabilities)
    figures = {
        "confusion": plots.confusion_matrix(confusion),
        "roc": plots.roc_plot([model]),
        "precision_recall": plots.precision_recall_plot(model),
        "reliability": plots.reliability_plot(bins, model.metrics.ece.value),
        "histogram": plots.histogram(model),
        "sweep": plots.sweep_plot(model),
    }
    if model.curves:
        figures["training"] = plots.training_plot(model.curves)
    drawn = {name: as_svg(figure, f"{prefix}-{name}") for name, figure in figures.items()}
    errors = {
        "false_negatives": false_negatives(model),
        "false_positives": false_positives(model),
    }
    for name, indices in errors.items():
        if indices:
            worst = indices[:GALLERY_SIZE]
            figure = gallery(
                [model.paths[i] for i in worst], [float(model.probabilities[i]) for i in worst]
            )
            drawn[name] = as_png(figure)
    return drawn


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(estimate: Mapping[str, float | None] | None) -> str:
    """`0.961 (0.942 – 0.977)`, of anything with a value, a low and a high end."""
    if estimate is None:
        return "–"
    low, high = _number(estimate["low"]), _number(estimate["high"])
    return f"{_number(estimate['value'])} ({low} – {high})"
