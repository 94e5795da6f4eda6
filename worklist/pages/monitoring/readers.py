"""The AI against its readers, as plots and tables. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.monitoring.verdicts import Calibration, Measure
from db.worklist.sorting import Sort
from readfirst.formatting import readable_share
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext, ngettext
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import Period
from readfirst.studies.findings import GROUP_WORDS, VerdictGroup
from worklist.pages.monitoring.charts import (
    Chart,
    Kind,
    Level,
    Series,
    Unit,
    Values,
    interval,
)
from worklist.pages.monitoring.flow import date_label
from worklist.pages.monitoring.links import StudyLink, of_buckets, of_period

#: In the order of the table, as people call them.
MEASURES = {
    "ppv": "PPV",
    "npv": "NPV",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "agreement": "Agreement",
    "kappa": "Cohen’s kappa",
    "ece": "Calibration error",
    "cannot_tell": "Uncertain",
    "blind": "Blind, before the AI was shown",
    "verdicts": "With a verdict",
}
#: What readers do, and not how well the AI does: said of any number of verdicts.
COUNTS = ("cannot_tell", "blind", "verdicts")
#: Rows and columns of the table of findings.
FLAGS = ("Flagged", "Not flagged")
COMPARED = (
    (FLAGS[0], VerdictGroup.TRUE_POSITIVE, VerdictGroup.FALSE_POSITIVE),
    (FLAGS[1], VerdictGroup.MISSED, VerdictGroup.TRUE_NEGATIVE),
)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A row of the table."""

    name: str
    value: str
    reach: str
    cases: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A flag of the AI, and the numbers of studies that readers called pneumonia or not."""

    name: str
    #: The name within a sentence.
    flag: str
    pneumonia: StudyLink
    no_pneumonia: StudyLink


def versions(rows: Sequence[Measure]) -> list[str]:
    """The ensemble versions that have verdicts, the newest first."""
    return list(dict.fromkeys(row.ensemble_version for row in rows))


def threshold_note(rows: Sequence[Measure], version: str) -> str:
    """Say by which threshold of an ensemble its studies count, and that they are several."""
    versions = _whole(rows, version)["ppv"].threshold_versions
    if ", " not in versions:
        return gettext("threshold {version}").format(version=versions) if versions else ""
    text = gettext(
        "thresholds {versions}: each study counts by the one by which it was flagged or not"
    )
    return text.format(versions=versions)


def metric_rows(rows: Sequence[Measure], version: str, least: int) -> list[MetricRow]:
    """The rows of a version. least: of fewer verdicts no share is stated."""
    whole = _whole(rows, version)
    return [
        _metric_row(gettext(words), whole[name], 0 if name in COUNTS else least)
        for name, words in MEASURES.items()
        if name in whole
    ]


def finding_table(rows: Sequence[Measure], version: str, period: Period) -> list[FindingRow]:
    """The AI's flags against the readers' findings: each number leads to its studies."""
    whole = _whole(rows, version)
    ppv, npv = whole["ppv"], whole["npv"]
    counts = {
        VerdictGroup.TRUE_POSITIVE: ppv.hits or 0,
        VerdictGroup.FALSE_POSITIVE: ppv.of - (ppv.hits or 0),
        VerdictGroup.MISSED: npv.of - (npv.hits or 0),
        VerdictGroup.TRUE_NEGATIVE: npv.hits or 0,
    }
    links = {
        group: StudyLink(number_text(count), _address(period, version, group))
        for group, count in counts.items()
    }
    return [
        FindingRow(gettext(name), gettext(name.lower()), links[sick], links[healthy])
        for name, sick, healthy in COMPARED
    ]


def further_links(rows: Sequence[Measure], version: str, period: Period) -> list[StudyLink]:
    """The studies of which the reader cannot tell, and those that were read blind."""
    whole = _whole(rows, version)
    groups = {"cannot_tell": VerdictGroup.CANNOT_TELL, "blind": VerdictGroup.BLIND}
    return [
        StudyLink(
            f"{_capital(gettext(GROUP_WORDS[group]))}: {number_text(whole[name].hits or 0)}",
            _address(period, version, group),
        )
        for name, group in groups.items()
        if name in whole and whole[name].hits
    ]


def agreement_chart(
    rows: Sequence[Measure], version: str, period: Period, config: MonitoringConfig
) -> Chart:
    """PPV and NPV by week."""
    ppv = _whole(rows, version)["ppv"]
    title = gettext("No flagged study has a verdict")
    if ppv.value is not None:
        text = gettext("{share} of flagged studies are confirmed (PPV)")
        title = text.format(share=readable_share(ppv.value))
        if ppv.of < config.least_verdicts:
            title = ": ".join((gettext("PPV"), _too_few(ppv.of, config.least_verdicts)))
    return Chart(
        id=f"agreement-{version}",
        title=title,
        note=gettext("{hits} of {all}; 95 % interval {interval}.").format(
            hits=ppv.hits, all=ppv.of, interval=interval(ppv.low, ppv.high)
        )
        if ppv.of
        else "",
        kind=Kind.LINES,
        unit=Unit.SHARE,
        x_label=gettext("Week"),
        y_label=gettext("Right"),
        places=tuple(date_label(week.first, week.last) for week in period.weeks),
        addresses=of_buckets(period.weeks, agreement=VerdictGroup.ANY, ensemble=version),
        series=tuple(
            _weekly(rows, version, period, name, words, colour)
            for name, words, colour in (
                ("ppv", gettext("PPV"), "link"),
                ("npv", gettext("NPV"), "plot-2"),
            )
        ),
        levels=(Level(config.least_ppv, gettext("least PPV")),) if config.least_ppv else (),
        csv="verdicts",
    )


def calibration_chart(
    rows: Sequence[Calibration],
    measures: Sequence[Measure],
    version: str,
    period: Period,
    config: MonitoringConfig,
) -> Chart:
    """The stated probability against the share that has pneumonia."""
    filled = [row for row in rows if row.ensemble_version == version and row.stated is not None]
    error = _whole(measures, version)["ece"]
    title = gettext("No calibration")
    if error.value is not None:
        text = ngettext(
            "Calibration error {share}, by {number} verdict",
            "Calibration error {share}, by {number} verdicts",
            error.of,
        )
        title = text.format(share=readable_share(error.value), number=number_text(error.of))
        if error.of < config.least_verdicts:
            few = _too_few(error.of, config.least_verdicts)
            title = ": ".join((gettext("Calibration error"), few))
    return Chart(
        id=f"calibration-{version}",
        title=title,
        note=gettext("On the diagonal, films of a stated probability have pneumonia that often."),
        kind=Kind.DIAGONAL,
        unit=Unit.SHARE,
        x_label=gettext("Stated probability"),
        y_label=gettext("With pneumonia"),
        places=tuple(
            f"{100 * row.lower:.0f} – {100 * row.upper:.0f} % ({_studies(row.studies)})"
            for row in filled
        ),
        addresses=tuple(
            _address(
                period,
                version,
                VerdictGroup.ANY,
                probability_from=row.lower,
                probability_below=row.upper,
                sort=Sort.PROBABILITY,
            )
            for row in filled
        ),
        x=tuple(row.stated or 0.0 for row in filled),
        series=(
            Series(
                label=gettext("Observed"),
                colour="link",
                values=tuple(row.observed for row in filled),
                low=tuple(row.low for row in filled),
                high=tuple(row.high for row in filled),
            ),
        ),
        csv="calibration",
    )


def _address(period: Period, version: str, group: VerdictGroup, **which: Any) -> str:
    return of_period(period, agreement=group, ensemble=version, **which)


def _too_few(verdicts: int, least: int) -> str:
    text = gettext("too few verdicts ({number} of {least})")
    return text.format(number=number_text(verdicts), least=number_text(least))


def _studies(number: int) -> str:
    text = ngettext("{number} study", "{number} studies", number)
    return text.format(number=number_text(number))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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


def _metric_row(words: str, row: Measure, least: int) -> MetricRow:
    if row.value is None:
        return MetricRow(words, "–", "", gettext("nothing to count"))
    if row.of < least:
        return MetricRow(words, "–", "", _too_few(row.of, least))
    if row.hits is None:
        is_kappa = row.measure == "kappa"
        value = number_text(row.value, ".2f") if is_kappa else readable_share(row.value)
        return MetricRow(words, value, "", _studies(row.of))
    cases = gettext("{hits} of {all}").format(hits=number_text(row.hits), all=number_text(row.of))
    return MetricRow(words, readable_share(row.value), interval(row.low, row.high), cases)
