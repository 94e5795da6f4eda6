"""The monitoring page, for the lead: plots, tables, and links to them as CSV."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.monitoring.alerts import open_alerts
from db.monitoring.drift import drift
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData
from db.monitoring.rules import drift_period
from readfirst.access.roles import Role
from readfirst.formatting import readable_share
from readfirst.language.texts import gettext
from readfirst.monitoring.config import MonitoringConfig, monitoring_config
from readfirst.monitoring.period import Period
from worklist.api.monitoring import First, Last, requested_period
from worklist.pages.monitoring.charts import Chart
from worklist.pages.monitoring.drift import (
    AGAINST,
    SUBJECTS,
    DriftRow,
    drift_charts,
    drift_table,
    scanner_table,
)
from worklist.pages.monitoring.ensembles import drift_note, ensembles_note
from worklist.pages.monitoring.flow import (
    flagged_chart,
    read_chart,
    refusal_chart,
    volume_chart,
    worklist_chart,
)
from worklist.pages.monitoring.links import StudyLink, alert_address
from worklist.pages.monitoring.readers import (
    FindingRow,
    MetricRow,
    agreement_chart,
    calibration_chart,
    finding_table,
    further_links,
    metric_rows,
    threshold_note,
    versions,
)
from worklist.pages.monitoring.status import status_line
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, NowDep, SettingsDep
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

#: Periods that are a link away, in days up to today.
SPANS = {7: "7 days", 28: "28 days", 91: "3 months", 365: "1 year"}
#: Ensemble versions that are shown; the API has them all.
MOST_VERSIONS = 2


class Tab(StrEnum):
    """A part of the page."""

    FLOW = "flow"
    READERS = "readers"
    DRIFT = "drift"
    ALERTS = "alerts"


TABS = {Tab.FLOW: "Flow", Tab.READERS: "Readers", Tab.DRIFT: "Drift", Tab.ALERTS: "Alerts"}
#: The figures of each part.
FIGURES_OF = {
    Tab.FLOW: ("volumes", "refusals", "times"),
    Tab.READERS: ("verdicts", "calibration"),
    Tab.DRIFT: ("drift", "scanners"),
    Tab.ALERTS: ("alerts",),
}

Figures = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class ReaderSection:
    """An ensemble version against its readers."""

    version: str
    thresholds: str
    findings: list[FindingRow]
    further: list[StudyLink]
    figures: list[MetricRow]
    charts: list[Chart]


@dataclass(frozen=True, slots=True)
class DriftSection:
    """Drift against the reference, or against the site's first weeks."""

    words: str
    note: str
    scanners: list[DriftRow]
    charts: list[Chart]


@router.get("/watching", name="watching")
@policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
def monitoring(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    now: NowDep,
    tab: Tab = Tab.FLOW,
    first: First = None,
    last: Last = None,
) -> Response:
    """The page of a period, a part of it at a time."""
    period, config = requested_period(first, last, settings), monitoring_config(settings)
    with database.read() as session:
        data = MonitoringData(session)
        figures = {name: FIGURES[name].rows(data, period, config) for name in FIGURES_OF[tab]}
        alerts = open_alerts(session)
        # Where an alert is open, the line says nothing else.
        lately = [] if alerts else drift(data, drift_period(now, config), config)
    status = status_line(alerts, lately)
    context = _common(tab, period, config) | {"open_alerts": alerts, "status": status}
    context |= _of_tab(tab, figures, period, config, hides_ai=settings.hides_ai)
    return TEMPLATES.TemplateResponse(request, "monitoring.html", context)


def _common(tab: Tab, period: Period, config: MonitoringConfig) -> dict[str, Any]:
    """The values that every part names."""
    return {
        "tab": tab,
        "tabs": {each: gettext(text) for each, text in TABS.items()},
        "period": period,
        "period_query": f"from={period.first}&to={period.last}",
        "spans": {
            gettext(words): period.last - timedelta(days=days - 1) for days, words in SPANS.items()
        },
        "config": config,
        "zone": config.zone,
    }


def _of_tab(
    tab: Tab, figures: Figures, period: Period, config: MonitoringConfig, *, hides_ai: bool
) -> dict[str, Any]:
    """The values of a part, and the charts that its script draws."""
    if tab is Tab.ALERTS:
        rows = [(alert, alert_address(alert, period)) for alert in figures["alerts"]]
        return {"alerts": rows, "drawn": []}
    if tab is Tab.FLOW:
        flow = _flow(figures, period, hides_ai=hides_ai)
        return {"flow": flow, "drawn": _drawn(flow)}
    if tab is Tab.READERS:
        readers = _readers(figures, period, config)
        return {
            "readers": readers,
            "drawn": _drawn(chart for each in readers for chart in each.charts),
        }
    comparisons = _drift(figures, period, config)
    return {
        "drift": comparisons,
        "subjects": SUBJECTS,
        "scanners": scanner_table(figures["scanners"], period),
        "scanners_note": ensembles_note(figures["scanners"]).strip(),
        "prevalence": None if config.prevalence is None else readable_share(config.prevalence),
        "drawn": _drawn(chart for each in comparisons for chart in each.charts),
    }


def _drawn(charts: Iterable[Chart]) -> list[dict[str, Any]]:
    return [chart.drawing for chart in charts if not chart.is_empty]


def _flow(figures: Figures, period: Period, *, hides_ai: bool) -> list[Chart]:
    volumes, times = figures["volumes"], figures["times"]
    return [
        volume_chart(volumes, period),
        flagged_chart(volumes, period, hides_ai=hides_ai),
        worklist_chart(times, period),
        read_chart(times, period, hides_ai=hides_ai),
        refusal_chart(figures["refusals"], volumes, period),
    ]


def _readers(figures: Figures, period: Period, config: MonitoringConfig) -> list[ReaderSection]:
    measures, bins = figures["verdicts"], figures["calibration"]
    return [
        ReaderSection(
            version,
            threshold_note(measures, version),
            finding_table(measures, version, period),
            further_links(measures, version, period),
            metric_rows(measures, version, config.least_verdicts),
            [
                agreement_chart(measures, version, period, config),
                calibration_chart(bins, measures, version, period, config),
            ],
        )
        for version in versions(measures)[:MOST_VERSIONS]
    ]


def _drift(figures: Figures, period: Period, config: MonitoringConfig) -> list[DriftSection]:
    return [
        DriftSection(
            gettext(words),
            drift_note(figures["drift"], against),
            drift_table(figures["drift"], against, period),
            charts,
        )
        for against, words in AGAINST.items()
        if (charts := drift_charts(figures["drift"], against, period, config))
    ]
