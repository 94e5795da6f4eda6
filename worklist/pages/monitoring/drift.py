"""The drift of the films that come in, as plots and a table. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db.monitoring.drift import BASELINE, REFERENCE, Drift
from db.monitoring.scanners import EVERY_SCANNER, ScannerRecord
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext, ngettext
from readfirst.monitoring.config import MonitoringConfig
from readfirst.monitoring.period import Period
from readfirst.monitoring.stability import Judged
from worklist.pages.monitoring.charts import Chart, Kind, Level, Series, Unit, written
from worklist.pages.monitoring.flow import date_label
from worklist.pages.monitoring.links import of_buckets, of_scanner
from worklist.services.study_texts import scanner_text

SUBJECTS = {
    "scores": "Scores",
    "exposure": "Exposure (median grey)",
    "clipping": "Clipping (black or white)",
    "refusals": "Refusals",
}
AGAINST = {REFERENCE: "the ensemble’s reference", BASELINE: "the site’s own first weeks"}
JUDGED = {
    Judged.DRIFT: "drift",
    Judged.CHANGED: "changed",
    Judged.STABLE: "stable",
    Judged.TOO_FEW: "too few films",
    Judged.PREVALENCE_NOT_SET: "prevalence not set",
}
#: The busiest scanners are drawn, each in a colour; all of them together in the text's.
COLOURS = ("link", "plot-2", "plot-3", "plot-4")


@dataclass(frozen=True, slots=True)
class DriftCell:
    """The drift of a scanner's films in one subject. judged: as the style sheet names it."""

    judged: str
    words: str
    index: str
    films: str


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A scanner in the table of drift: a cell for each subject, None where nothing is known.

    address: of its studies; empty for all of them together.
    """

    scanner: str
    address: str
    cells: tuple[DriftCell | None, ...]


@dataclass(frozen=True, slots=True)
class ScannerRow:
    """A scanner in the table of the scanners. address: of its studies."""

    scanner: str
    address: str
    cells: tuple[str, ...]


def scanner_table(rows: Sequence[ScannerRecord], period: Period) -> list[ScannerRow]:
    """The table of the scanners, in their order."""
    return [
        ScannerRow(scanner_text(row.scanner), of_scanner(period, row.scanner), tuple(_cells(row)))
        for row in rows
    ]


def _cells(row: ScannerRecord) -> Iterator[str]:
    yield number_text(row.images)
    yield written(row.refused_share, Unit.SHARE)
    yield _one_digit(row.median_grey)
    yield written(row.clipped_share, Unit.SHARE)
    yield from map(_one_digit, (row.exposure, row.exposure_index, row.deviation_index))


def _one_digit(value: float | None) -> str:
    return "–" if value is None else number_text(value, ".1f")


def drift_table(rows: Sequence[Drift], against: str, period: Period) -> list[DriftRow]:
    """The whole period by scanner, all of them first."""
    meant = [row for row in rows if (row.span, row.against) == ("period", against)]
    by_subject = {(row.scanner, row.subject): row for row in meant}
    names = dict.fromkeys(row.scanner for row in meant)
    return [
        DriftRow(
            scanner_text(name),
            of_scanner(period, name),
            tuple(_cell(by_subject.get((name, subject))) for subject in SUBJECTS),
        )
        for name in names
    ]


def drift_charts(
    rows: Sequence[Drift], against: str, period: Period, config: MonitoringConfig
) -> list[Chart]:
    """The weeks of each subject, where there are any."""
    meant = [row for row in rows if (row.span, row.against) == ("week", against)]
    charts = (_chart(meant, subject, against, period, config) for subject in SUBJECTS)
    return [chart for chart in charts if not chart.is_empty]


def _chart(
    rows: Sequence[Drift], subject: str, against: str, period: Period, config: MonitoringConfig
) -> Chart:
    meant = [row for row in rows if row.subject == subject]
    films = {
        name: sum(row.films for row in meant if row.scanner == name)
        for name in {row.scanner for row in meant} - {EVERY_SCANNER}
    }
    busiest = sorted(films, key=lambda name: (-films[name], name))[: len(COLOURS)]
    named = [(EVERY_SCANNER, "text"), *zip(busiest, COLOURS, strict=False)]
    return Chart(
        id=f"drift-{subject}-{against}",
        title=f"{gettext(SUBJECTS[subject])}: {_worst(meant)}",
        kind=Kind.LINES,
        unit=Unit.INDEX,
        x_label=gettext("Week"),
        y_label=gettext("Stability index"),
        places=tuple(date_label(week.first, week.last) for week in period.weeks),
        addresses=of_buckets(period.weeks, refused=subject == "refusals"),
        series=tuple(_series(meant, name, colour, period) for name, colour in named),
        levels=(
            Level(config.drift_notice, gettext("changed")),
            Level(config.drift_alarm, gettext("drift")),
        ),
        csv="drift",
    )


def _worst(rows: Sequence[Drift]) -> str:
    """The latest week of which something can be said, by the scanner that differs most."""
    judged = [row for row in rows if row.psi is not None]
    if not judged:
        return gettext("too few films")
    last = max(row.first for row in judged)
    worst = max(
        (row for row in judged if row.first == last),
        key=lambda row: (list(Judged).index(row.judged), row.psi or 0),
    )
    if worst.judged is Judged.PREVALENCE_NOT_SET:
        text = gettext("not judged, prevalence not set; {index} in the last week")
        return text.format(index=number_text(worst.psi or 0, ".2f"))
    return gettext("{judged} in the last week, {index} ({scanner})").format(
        judged=gettext(JUDGED[worst.judged]),
        index=number_text(worst.psi or 0, ".2f"),
        scanner=scanner_text(worst.scanner),
    )


def _series(rows: Sequence[Drift], scanner: str, colour: str, period: Period) -> Series:
    by_week = {row.first: row.psi for row in rows if row.scanner == scanner}
    values = tuple(by_week.get(week.first) for week in period.weeks)
    return Series(label=scanner_text(scanner), colour=colour, values=values)


def _cell(row: Drift | None) -> DriftCell | None:
    if row is None:
        return None
    index = "" if row.psi is None else number_text(row.psi, ".2f")
    films = ngettext("{number} film", "{number} films", row.films)
    return DriftCell(
        row.judged.value,
        gettext(JUDGED[row.judged]),
        index,
        films.format(number=number_text(row.films)),
    )
