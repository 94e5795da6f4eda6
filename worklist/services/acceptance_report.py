"""The acceptance report as one HTML file that needs no server, no script and no network."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from db.ensembles.acceptance import UNKNOWN, AcceptanceRecord, labels_text
from readfirst.language.texts import gettext
from readfirst.statistics.acceptance import AcceptanceReport, PromiseOutcome
from worklist.services.study_texts import scanner_text
from worklist.services.templating import TEMPLATES

#: Pixels of a side of a plot.
SIDE = 220
#: Names of figures, and of what they are compared by.
FIGURES = {
    "auc": "AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ece": "Calibration error",
}
OUTCOMES = {
    PromiseOutcome.AGREES: "agrees",
    PromiseOutcome.LOWER: "lower than promised",
    PromiseOutcome.HIGHER: "higher than promised",
    PromiseOutcome.NOT_COMPARABLE: "not comparable",
}
GROUPS = {
    "population": "By population",
    "sex": "By sex",
    "scanner": "By scanner",
    "view": "By view",
}
#: Names of groups that are words; the others are of the films.
GROUP_NAMES = ("validated", "not validated", UNKNOWN)


def as_html(record: AcceptanceRecord, zone: ZoneInfo) -> str:
    """Write a report in the language that is spoken, with its signature or the room for one."""
    report = record.report
    return TEMPLATES.get_template("reports/acceptance.html").render(
        record=record,
        report=report,
        zone=zone,
        side=SIDE,
        figure_names=FIGURES,
        outcomes=OUTCOMES,
        group_names=GROUPS,
        group_text=_group_text,
        labels_text=labels_text,
        roc=_path(report.roc),
        reliability=_reliability(report),
    )


def _group_text(name: str) -> str:
    return gettext(name) if name in GROUP_NAMES else scanner_text(name)


def _path(points: Iterable[tuple[float, float]]) -> str:
    """Points of shares as those of an SVG polyline: y goes up."""
    return " ".join(f"{SIDE * x:.1f},{SIDE * (1 - y):.1f}" for x, y in points)


def _reliability(report: AcceptanceReport) -> list[dict[str, float]]:
    """The bins of the calibration that have studies, as places of an SVG plot."""
    return [
        {
            "x": SIDE * each.stated,
            "y": SIDE * (1 - each.observed.value),
            "low": SIDE * (1 - each.observed.low),
            "high": SIDE * (1 - each.observed.high),
        }
        for each in report.calibration
        if each.stated is not None
        and each.observed.value is not None
        and each.observed.low is not None
        and each.observed.high is not None
    ]
