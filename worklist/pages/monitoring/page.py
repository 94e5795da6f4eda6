"""The monitoring page, for the lead: plots, tables, and links to them as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.monitoring.alerts import open_alerts
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData
from readfirst.access.roles import Role
from readfirst.monitoring.config import MonitoringConfig, monitoring_config
from readfirst.monitoring.period import Period
from worklist.api.monitoring import First, Last, requested_period
from worklist.pages.monitoring.charts import Chart, percent
from worklist.pages.monitoring.drift import (
    AGAINST,
    SUBJECTS,
    DriftRow,
    drift_charts,
    drift_table,
    scanner_table,
)
from worklist.pages.monitoring.flow import (
    flagged_chart,
    read_chart,
    refusal_chart,
    volume_chart,
    worklist_chart,
)
from worklist.pages.monitoring.readers import (
    MetricRow,
    agreement_chart,
    calibration_chart,
    metric_rows,
    versions,
)
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

#: Periods that are a link away, in days up to today.
SPANS = {"7 days": 7, "28 days": 28, "3 months": 91, "1 year": 365}
#: Ensemble versions that are shown; the API has them all.
MOST_VERSIONS = 2


@dataclass(frozen=True, slots=True)
class ReaderSection:
    """An ensemble version against its readers."""

    version: str
    figures: list[MetricRow]
    charts: list[Chart]


@dataclass(frozen=True, slots=True)
class DriftSection:
    """Drift against the reference, or against the site's first weeks."""

    words: str
    scanners: list[DriftRow]
    charts: list[Chart]


@router.get("/watching", name="watching")
@policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
def monitoring(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    first: First = None,
    last: Last = None,
) -> Response:
    """The page of a period."""
    period, config = requested_period(first, last, settings), monitoring_config(settings)
    with database.read() as session:
        data = MonitoringData(session)
        figures = {name: each.rows(data, period, config) for name, each in FIGURES.items()}
        alerts = open_alerts(session)
    context = template_context(figures, period, config) | {"open_alerts": alerts}
    return TEMPLATES.TemplateResponse(request, "monitoring.html", context)


def template_context(
    figures: Mapping[str, Sequence[Any]], period: Period, config: MonitoringConfig
) -> dict[str, Any]:
    """The values that the template names."""
    flow, readers = _flow(figures, period), _readers(figures, period, config)
    drift = _drift(figures, period, config)
    sections: list[ReaderSection | DriftSection] = [*readers, *drift]
    charts = [*flow, *(chart for section in sections for chart in section.charts)]
    return {
        "flow": flow,
        "readers": readers,
        "drift": drift,
        "period": period,
        "period_query": f"from={period.first}&to={period.last}",
        "spans": {words: period.last - timedelta(days=days - 1) for words, days in SPANS.items()},
        "subjects": SUBJECTS,
        "config": config,
        "zone": config.zone,
        "alerts": figures["alerts"],
        "scanners": scanner_table(figures["scanners"]),
        "prevalence": "the share of pneumonia that the ensemble presupposes"
        if config.prevalence is None
        else f"{percent(config.prevalence)} of pneumonia",
        "drawn": [chart.drawing for chart in charts if not chart.is_empty],
    }


def _flow(figures: Mapping[str, Sequence[Any]], period: Period) -> list[Chart]:
    volumes, times = figures["volumes"], figures["times"]
    return [
        volume_chart(volumes, period),
        flagged_chart(volumes, period),
        worklist_chart(times, period),
        read_chart(times, period),
        refusal_chart(figures["refusals"], volumes, period),
    ]


def _readers(
    figures: Mapping[str, Sequence[Any]], period: Period, config: MonitoringConfig
) -> list[ReaderSection]:
    measures, bins = figures["verdicts"], figures["calibration"]
    return [
        ReaderSection(
            version,
            metric_rows(measures, version),
            [
                agreement_chart(measures, version, period, config.least_ppv),
                calibration_chart(bins, measures, version),
            ],
        )
        for version in versions(measures)[:MOST_VERSIONS]
    ]


def _drift(
    figures: Mapping[str, Sequence[Any]], period: Period, config: MonitoringConfig
) -> list[DriftSection]:
    return [
        DriftSection(words, drift_table(figures["drift"], against), charts)
        for against, words in AGAINST.items()
        if (charts := drift_charts(figures["drift"], against, period, config))
    ]
