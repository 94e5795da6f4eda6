"""The AI against its readers, as plots and a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.monitoring.verdicts import Calibration, Measure
from readfirst.monitoring.period import Period
from worklist.pages.monitoring.charts import (
    Chart,
    Kind,
    Level,
    Series,
    Unit,
    Values,
    interval,
    percent,
)
from worklist.pages.monitoring.flow import date_label

#: In the order of the table, as people call them.
MEASURES = {
    "ppv": "PPV",
    "npv": "NPV",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "agreement": "Agreement",
    "kappa": "Cohen’s kappa",
    "ece": "Calibration error",
    "cannot_tell": "Cannot tell",
    "blind": "Blind, before the AI was shown",
    "verdicts": "With a verdict",
}


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A row of the table."""

    name: str
    value: str
    reach: str
    cases: str


def versions(rows: Sequence[Measure]) -> list[str]:
    """The ensemble versions that have verdicts, the newest first."""
    return list(dict.fromkeys(row.ensemble_version for row in rows))


def metric_rows(rows: Sequence[Measure], version: str) -> list[MetricRow]:
    """The rows of a version."""
    whole = _whole(rows, version)
    return [_metric_row(words, whole[name]) for name, words in MEASURES.items() if name in whole]


def agreement_chart(
    rows: Sequence[Measure], version: str, period: Period, least_ppv: float
) -> Chart:
    """PPV and NPV by week."""
    whole = _whole(rows, version)
    ppv = whole["ppv"]
    title = "No flagged study has a verdict"
    if ppv.value is not None:
        title = f"{percent(ppv.value)} of flagged studies are confirmed (PPV)"
    return Chart(
        id=f"agreement-{version}",
        title=title,
        note=f"{ppv.hits} of {ppv.of}; 95 % interval {interval(ppv.low, ppv.high)}."
        if ppv.of
        else "",
        kind=Kind.LINES,
        unit=Unit.SHARE,
        x_label="Week",
        y_label="Right",
        places=tuple(date_label(week.first, week.last) for week in period.weeks),
        series=tuple(
            _weekly(rows, version, period, name, words, colour)
            for name, words, colour in (("ppv", "PPV", "flag"), ("npv", "NPV", "link"))
        ),
        levels=(Level(least_ppv, "least PPV"),) if least_ppv else (),
        csv="verdicts",
    )


def calibration_chart(
    rows: Sequence[Calibration], measures: Sequence[Measure], version: str
) -> Chart:
    """The stated probability against the share that has pneumonia."""
    filled = [row for row in rows if row.ensemble_version == version and row.stated is not None]
    error = _whole(measures, version)["ece"]
    return Chart(
        id=f"calibration-{version}",
        title="No calibration"
        if error.value is None
        else f"Calibration error {percent(error.value)}, by {error.of:,} verdicts",
        note="On the diagonal, films of a stated probability have pneumonia that often.",
        kind=Kind.DIAGONAL,
        unit=Unit.SHARE,
        x_label="Stated probability",
        y_label="With pneumonia",
        places=tuple(
            f"{100 * row.lower:.0f} – {100 * row.upper:.0f} % ({row.studies:,} studies)"
            for row in filled
        ),
        x=tuple(row.stated or 0.0 for row in filled),
        series=(
            Series(
                label="Observed",
                colour="link",
                values=tuple(row.observed for row in filled),
                low=tuple(row.low for row in filled),
                high=tuple(row.high for row in filled),
            ),
        ),
        csv="calibration",
    )


def _weekly(
    rows: Sequence[Measure], version: str, period: Period, name: str, words: str, colour: str
) -> Series:
    by_week = {
        row.first: row
        for row in rows
        if (row.span, row.ensemble_version, row.measure) == ("week", version, name)
    }
    weeks = [by_week.get(week.first) for week in period.weeks]

    def values(field: str) -> Values:
        return tuple(None if row is None else getattr(row, field) for row in weeks)

    return Series(
        label=words,
        colour=colour,
        values=values("value"),
        low=values("low"),
        high=values("high"),
    )


def _whole(rows: Sequence[Measure], version: str) -> dict[str, Measure]:
    meant = (row for row in rows if (row.span, row.ensemble_version) == ("period", version))
    return {row.measure: row for row in meant}


def _metric_row(words: str, row: Measure) -> MetricRow:
    if row.value is None:
        return MetricRow(words, "–", "", "nothing to count")
    if row.hits is None:
        value = f"{row.value:.2f}" if row.measure == "kappa" else percent(row.value)
        return MetricRow(words, value, "", f"{row.of:,} studies")
    return MetricRow(
        words, percent(row.value), interval(row.low, row.high), f"{row.hits:,} of {row.of:,}"
    )
