"""The figures of a model card as tables, in the reader's language."""

from collections import defaultdict
from collections.abc import Mapping

from models.cards.evaluations import Evaluation
from models.cards.layout import CardTable, quoted
from models.manifest import ChangedFigure, Estimate, Metrics, OperatingPoint, PixelCheck
from readfirst.formatting import readable_share
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.statistics.operating_points import Interval


def number(value: float) -> str:
    """Write a figure with three digits behind the point."""
    return number_text(value, ".3f")


def interval_text(estimate: Estimate | Interval) -> str:
    """Write a figure with its 95 % interval, as `0.932 (0.907–0.953)`."""
    return f"{number(estimate.value)} ({number(estimate.low)}–{number(estimate.high)})"


def figure_table(caption: str, metrics: Metrics) -> CardTable:
    """Make the table of all figures, each with its interval."""
    figures = {
        "AUC": metrics.auc,
        gettext("Sensitivity"): metrics.sensitivity,
        gettext("Specificity"): metrics.specificity,
        gettext("Accuracy"): metrics.accuracy,
        "F1": metrics.f1,
        gettext("Positive predictive value"): metrics.ppv,
        gettext("Negative predictive value"): metrics.npv,
        gettext("Calibration error"): metrics.ece,
    }
    return CardTable(
        caption,
        (gettext("Figure"), gettext("Value"), gettext("95 % interval")),
        tuple((name, *_cells(estimate)) for name, estimate in figures.items()),
    )


def _cells(estimate: Estimate | None) -> tuple[str, str]:
    if estimate is None:
        return gettext("not known"), "–"
    return number(estimate.value), f"{number(estimate.low)}–{number(estimate.high)}"


def evaluation_tables(evaluation: Evaluation) -> list[CardTable]:
    """Make the tables of an evaluation on other films: of all of them, and by group."""
    metrics = evaluation.metrics
    caption = gettext("{name}: {images} films, {pneumonia} with pneumonia, {patients} patients")
    text = caption.format(
        name=quoted(evaluation.name),
        images=number_text(metrics.images),
        pneumonia=number_text(metrics.pneumonia),
        patients=number_text(metrics.patients),
    )
    tables = [figure_table(text, metrics)]
    if evaluation.groups:
        columns = (
            gettext("Group"),
            gettext("Films"),
            gettext("Patients"),
            gettext("Judged rightly"),
            gettext("95 % interval"),
            "AUC",
        )
        rows = tuple(
            (
                f"{quoted(group.group)} ({_class_text(group.pneumonia)})",
                number_text(group.images),
                number_text(group.patients),
                number(group.right),
                f"{number(group.low)}–{number(group.high)}",
                "–" if group.auc is None else number(group.auc),
            )
            for group in evaluation.groups
        )
        by_group = gettext("{name}, by group").format(name=quoted(evaluation.name))
        tables.append(CardTable(by_group, columns, rows))
    return tables


def _class_text(pneumonia: bool) -> str:
    return gettext("pneumonia") if pneumonia else gettext("no pneumonia")


def acquisition_table(point: OperatingPoint) -> CardTable:
    """Make the table of the films of the choice under each simulated acquisition."""
    return CardTable(
        gettext("The films of the choice, in simulated acquisitions"),
        (gettext("Acquisition"), gettext("Sensitivity"), gettext("Specificity")),
        tuple(
            (quoted(name), number(result.sensitivity), number(result.specificity))
            for name, result in point.acquisitions.items()
        ),
    )


def change_table(figures: Mapping[str, ChangedFigure]) -> CardTable:
    """Make the table of figures before and after a fit, of patients apart from those of the fit."""
    names = {
        "auc": "AUC",
        "sensitivity": gettext("Sensitivity"),
        "specificity": gettext("Specificity"),
        "ece": gettext("Calibration error"),
        "brier": gettext("Brier score"),
        "log_loss": gettext("Log loss"),
        "cost": gettext("Cost"),
    }
    caption = gettext("Before and after, on other patients than those of the fit")
    return CardTable(
        caption,
        (gettext("Figure"), gettext("Before"), gettext("After"), gettext("Difference")),
        tuple(
            (
                names.get(name) or quoted(name),
                *map(interval_text, (row.before, row.after, row.difference)),
            )
            for name, row in figures.items()
        ),
    )


def refusal_table(check: PixelCheck) -> CardTable:
    """Make the table of the shares that are refused, with the kinds of images of each."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, share in sorted(check.caught.items(), key=lambda pair: (-pair[1], pair[0])):
        kinds[readable_share(share)].append(name)
    return CardTable(
        gettext("Other images that it refuses"),
        (gettext("Share refused"), gettext("Kinds of images")),
        tuple((share, quoted(", ".join(names))) for share, names in kinds.items()),
    )


def source_table(check: PixelCheck) -> CardTable:
    """Make the table of the real chest films from elsewhere that are refused, by source."""
    return CardTable(
        gettext("Real chest films from elsewhere that it refuses"),
        (gettext("Source"), gettext("Share refused"), gettext("95 % interval")),
        tuple(
            (
                quoted(source),
                readable_share(share.value),
                f"{readable_share(share.low)}–{readable_share(share.high)}",
            )
            for source, share in check.sources.items()
        ),
    )
