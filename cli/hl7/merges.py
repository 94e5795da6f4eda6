"""`hl7 merges` and `hl7 undo-merge`: patients that the RIS has merged."""

from getpass import getuser
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.access.audit import Actor
from db.lifecycle.ris.patients import undo_merge
from db.lifecycle.unit_of_work import site_policy, unit_of_work
from db.ris.merges import merge_records
from readfirst.errors import NotThere
from readfirst.ris.values import PatientId
from readfirst.settings import load_settings


def list_merges(
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 100,
    json: Json = False,
) -> None:
    """Print which patients the RIS has merged, the latest first, with their IDs."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = merge_records(session, limit=limit)
    if json:
        print_json(rows)
        return
    print_table(
        f"Merges: {len(rows)}",
        ("Merge", "At", "Patient ID", "Now", "Undone"),
        [
            (
                str(row.number),
                local_time(row.at, settings),
                _name(row.merge.merged),
                _name(row.merge.surviving),
                local_time(row.undone_at, settings) if row.undone_at else "",
            )
            for row in rows
        ],
    )


def undo(
    merge: Annotated[int, typer.Argument(help="Its number, as `hl7 merges` prints it.")],
) -> None:
    """Undo a merge: the two are two patients again. Nothing of their studies was changed by it."""
    settings = load_settings()
    with opened(settings) as database, unit_of_work(database, site_policy(settings)) as unit:
        if not undo_merge(unit, merge, Actor(None, None), getuser()):
            raise NotThere(f"No merge {merge} stands. `readfirst hl7 merges` prints them.")
    notice(f"Merge {merge} was undone.")


def _name(patient_id: PatientId) -> str:
    return " @ ".join(filter(None, (patient_id.value, patient_id.issuer)))
