"""The page that watches the AI, for the lead: plots, tables, and where to have them as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from db.session import Database
from db.watching.alerts import open_alerts, open_counts
from db.watching.figures import FIGURES
from readfirst.settings import Settings
from readfirst.watching.period import Period
from readfirst.watching.terms import WatchTerms, watch_terms
from worklist.api.watching import First, Last, asked_period
from worklist.pages.charts import Chart, percent
from worklist.pages.templates import TEMPLATES
from worklist.pages.watching_drift import (
    AGAINST,
    SUBJECTS,
    ScannerRow,
    drift_charts,
    drift_table,
    scanner_table,
)
from worklist.pages.watching_flow import (
    flagged_chart,
    read_chart,
    refusal_chart,
    volume_chart,
    worklist_chart,
)
from worklist.pages.watching_readers import (
    Told,
    agreement_chart,
    calibration_chart,
    told,
    versions,
)

#: Periods that are a link away, in days up to today.
SPANS = {"7 days": 7, "28 days": 28, "3 months": 91, "1 year": 365}
#: Ensemble versions that are shown; the API has them all.
MOST_VERSIONS = 2


@dataclass(frozen=True, slots=True)
class Readers:
    """One ensemble version against its readers."""

    version: str
    figures: list[Told]
    charts: list[Chart]


@dataclass(frozen=True, slots=True)
class Against:
    """Drift against one thing."""

    words: str
    scanners: list[ScannerRow]
    charts: list[Chart]


def add_watching_page(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the page."""
    terms = watch_terms(settings)

    def alert_count() -> int:
        with database.read() as session:
            return sum(open_counts(session).values())

    # For the way to this page, which leads see on every other.
    app.state.alert_count = alert_count

    @app.get("/watching", response_class=HTMLResponse, include_in_schema=False)
    def watching(request: Request, first: First = None, last: Last = None) -> Response:
        period = asked_period(first, last, settings)
        with database.read() as session:
            figures = {name: each.rows(session, period, terms) for name, each in FIGURES.items()}
            held = open_alerts(session)
        told = shown(figures, period, terms) | {"held": held}
        return TEMPLATES.TemplateResponse(request, "watching.html", told)


def shown(
    figures: Mapping[str, Sequence[Any]], period: Period, terms: WatchTerms
) -> dict[str, Any]:
    """What the template is given."""
    flow, readers = _flow(figures, period), _readers(figures, period, terms)
    drift = _drift(figures, period, terms)
    parts: list[Readers | Against] = [*readers, *drift]
    drawn = [*flow, *(chart for one in parts for chart in one.charts)]
    return {
        "flow": flow,
        "readers": readers,
        "drift": drift,
        "period": period,
        "asked": f"from={period.first}&to={period.last}",
        "spans": {words: period.last - timedelta(days=days - 1) for words, days in SPANS.items()},
        "subjects": SUBJECTS,
        "terms": terms,
        "zone": terms.zone,
        "alerts": figures["alerts"],
        "scanners": scanner_table(figures["scanners"]),
        "prevalence": "the share of pneumonia that the ensemble presupposes"
        if terms.prevalence is None
        else f"{percent(terms.prevalence)} of pneumonia",
        "drawn": [asdict(chart) for chart in drawn if not chart.is_empty],
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
    figures: Mapping[str, Sequence[Any]], period: Period, terms: WatchTerms
) -> list[Readers]:
    measures, bins = figures["verdicts"], figures["calibration"]
    return [
        Readers(
            version,
            told(measures, version),
            [
                agreement_chart(measures, version, period, terms.least_ppv),
                calibration_chart(bins, measures, version),
            ],
        )
        for version in versions(measures)[:MOST_VERSIONS]
    ]


def _drift(
    figures: Mapping[str, Sequence[Any]], period: Period, terms: WatchTerms
) -> list[Against]:
    return [
        Against(words, drift_table(figures["drift"], against), charts)
        for against, words in AGAINST.items()
        if (charts := drift_charts(figures["drift"], against, period, terms))
    ]
