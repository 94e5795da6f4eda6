"""`nights show`: what a night changed."""

from datetime import date
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.nights.records import NightRecord, nights
from db.nights.report import (
    ChangeCounts,
    GroupKind,
    NightChange,
    NightStudy,
    changed_studies,
    night_report,
)
from readfirst.calendar import parse_day
from readfirst.errors import Misconfigured, NotThere
from readfirst.formatting import readable_name, readable_probability
from readfirst.settings import Settings, load_settings

HEADINGS = {
    NightChange.NEWLY_FLAGGED: "Newly flagged, unread ones first",
    NightChange.WITHDRAWN: "Flag withdrawn",
    NightChange.SECOND_LOOK: "Read, for a second look",
}
GROUPS = {
    GroupKind.ENSEMBLES: "Ensembles, before → after",
    GroupKind.POPULATION: "Population",
    GroupKind.SCANNER: "Scanner",
}


def show(
    day: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATE]", help="Day on which it began, as 2026-01-31. Default: the last night."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows of each list.")
    ] = 100,
    json: Json = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="Print the changed studies as CSV for a spreadsheet.")
    ] = False,
) -> None:
    """Print what a night changed: newly flagged studies, flags withdrawn, and a second look."""
    if json and csv:
        raise Misconfigured("Choose one of --json and --csv.")
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        night = _chosen(nights(session, MOST_ROWS if day else 30, _day(day)), day)
        report = night_report(session, night, settings.second_look)
        lists = {
            change: changed_studies(
                session,
                night.number,
                change,
                settings.second_look,
                limit=limit,
                prevalence=settings.prevalence,
            )
            for change in NightChange
        }
    if json:
        print_json({"report": report, "studies": [row for rows in lists.values() for row in rows]})
        return
    if csv:
        from worklist.http.responses import as_csv

        rows = [row for rows in lists.values() for row in rows]
        print(as_csv(NightStudy, rows).decode(), end="")
        return
    for change, rows in lists.items():
        title = f"{HEADINGS[change]}: {_counts(report.counts)[change]}"
        columns = ("Study", "Patient", "Probability", "Ensemble", "Now", "Arrived", "Scanner")
        print_table(title, columns, [_row(row, settings) for row in rows])
    for kind, heading in GROUPS.items():
        print_table(
            heading,
            (heading, "Scored again", "Newly flagged", "Withdrawn", "Second look"),
            [
                (group.name, str(group.counts.studies), *map(str, _counts(group.counts).values()))
                for group in report.groups
                if group.kind is kind
            ],
        )
    notice(
        f"Night of {night.day}, ensemble {night.ensemble}: {night.scored} images scored again, "
        f"{night.left} left. {report.unread_flagged} newly flagged studies are unread now."
    )


def _day(day: str | None) -> date | None:
    try:
        return None if day is None else parse_day(day)
    except ValueError as error:
        raise Misconfigured(str(error)) from error


def _chosen(rows: list[NightRecord], day: str | None) -> NightRecord:
    """The last night that scored anything, or else the last one. Raises NotThere."""
    if not rows:
        raise NotThere(f"No night began on {day}." if day else "There was no night yet.")
    return next((row for row in rows if row.scored), rows[0])


def _counts(counts: ChangeCounts) -> dict[NightChange, int]:
    return {
        NightChange.NEWLY_FLAGGED: counts.newly_flagged,
        NightChange.WITHDRAWN: counts.withdrawn,
        NightChange.SECOND_LOOK: counts.second_look,
    }


def _row(row: NightStudy, settings: Settings) -> tuple[str, ...]:
    state = "unread" if row.unread else "read"
    return (
        str(row.number),
        readable_name(row.patient_name or ""),
        f"{_score(row.probability_before)} → {_score(row.probability_after)}",
        f"{row.ensemble_before or '–'} → {row.ensemble_after or '–'}",
        f"{state}, flagged" if row.flagged else state,
        local_time(row.received_at, settings),
        row.scanner,
    )


def _score(probability: float | None) -> str:
    return "not scored" if probability is None else readable_probability(probability)
