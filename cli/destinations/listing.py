"""`destinations list`, `kinds` and `waiting`."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.destinations.queries import (
    all_destinations,
    destination_counts,
    find_destination,
    outgoing_results,
)
from db.destinations.records import DestinationCounts, DestinationRecord
from readfirst.destinations.states import SendingState
from readfirst.settings import Settings, load_settings

NONE_YET = "There is no destination: nothing is sent. `readfirst destinations add` adds one."
COLUMNS = ("Name", "Kind", "Address", "Gets", "Of", "Last sent", "Waiting", "Given up", "State")


def list_destinations(json: Json = False) -> None:
    """Print the destinations, with what waits for each and what was given up."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = all_destinations(session)
        counts = destination_counts(session)
    with_counts = [(row, counts.get(row.number, DestinationCounts())) for row in rows]
    if json:
        print_json([asdict(row) | {"counts": asdict(each)} for row, each in with_counts])
        return
    if not rows:
        notice(NONE_YET)
        return
    print_table(
        f"Destinations: {len(rows)}", COLUMNS, [_row(*each, settings) for each in with_counts]
    )
    for row, each in with_counts:
        if each.last_error:
            notice(f"{row.name}: {each.last_error}", "yellow")
        if each.given_up:
            notice(
                f"{row.name}: {each.given_up} given up. See `readfirst destinations waiting "
                f"{row.name}`, then `readfirst destinations send-again {row.name}`.",
                "red",
            )


def kinds(json: Json = False) -> None:
    """Print the kinds of destinations, the parts of their addresses, and what they take."""
    from results.destinations.kinds import KINDS, fields_of

    rows = [
        {
            "kind": kind.name,
            "forms": [form.value for form in kind.forms],
            "field": name,
            "default": None if field.is_required() else field.default,
            "required": field.is_required(),
            "description": field.description,
        }
        for kind in KINDS.values()
        for name, field in fields_of(kind)
    ]
    if json:
        print_json(rows)
        return
    for kind in KINDS.values():
        forms = ", ".join(form.value for form in kind.forms)
        print_table(
            f"{kind.name}: {kind.title}. Takes {forms}.",
            ("Field", "Needed", "What it is"),
            [
                (name, "yes" if field.is_required() else "", field.description or "")
                for name, field in fields_of(kind)
            ],
        )


def waiting(
    name: Annotated[
        str | None, typer.Argument(help="Of this destination only. Default: of all.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="What was sent, and what there is no result of, too.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 50,
    json: Json = False,
) -> None:
    """Print the results that wait, and those that were given up, each with the reason."""
    settings = load_settings()
    states = list(SendingState) if every else [SendingState.WAITING, SendingState.GIVEN_UP]
    with opened(settings) as database, database.read() as session:
        destination = find_destination(session, name) if name else None
        rows = outgoing_results(session, states=states, limit=limit, destination=destination)
    if json:
        print_json(rows)
        return
    print_table(
        f"Results: {len(rows)}",
        ("Number", "Destination", "Form", "Study", "State", "Since", "Next attempt", "Reason"),
        [
            (
                str(row.number),
                row.destination,
                row.form,
                f"#{row.study_number}",
                row.state.value.replace("_", " "),
                local_time(row.ended_at or row.wanted_at, settings),
                local_time(row.next_attempt_at, settings) if row.next_attempt_at else "",
                row.reason or "",
            )
            for row in rows
        ],
    )


def rule_words(row: DestinationRecord) -> list[str]:
    """The rule of a destination, a field a text."""
    return [f"{field}={'|'.join(patterns)}" for field, patterns in row.rule.items()]


def _row(row: DestinationRecord, counts: DestinationCounts, settings: Settings) -> tuple[str, ...]:
    return (
        row.name,
        row.kind,
        " ".join(f"{name}={value}" for name, value in row.address.items()),
        ",".join(form.value for form in row.forms),
        " ".join([row.studies.value, *rule_words(row)]),
        local_time(counts.last_sent_at, settings) if counts.last_sent_at else "never",
        str(counts.waiting),
        str(counts.given_up),
        "enabled" if row.enabled else "disabled",
    )
