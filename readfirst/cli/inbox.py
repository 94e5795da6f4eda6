"""`inbox`: what lies in the drop folder and is not taken, and what came in and is no film."""

from dataclasses import asdict
from typing import Annotated

import typer

from db.asides import files_set_aside
from db.notices import inbox_notices
from readfirst.cli.console import local_time, notice, print_json, print_table
from readfirst.cli.worklist import Json, opened
from readfirst.settings import load_settings


def inbox(
    limit: Annotated[int, typer.Option(min=1, help="Most files that were set aside.")] = 50,
    json: Json = False,
) -> None:
    """Print what lies in the inbox and is not taken, and what came in and is no film."""
    from ingest.disk import intake_room
    from ingest.store import Store

    settings = load_settings()
    store = Store(settings.store_path)
    room = intake_room(settings)
    with opened(settings) as database, database.read() as session:
        left = inbox_notices(session)
        aside = files_set_aside(session, limit=limit)
    originals = [str(store.path(row.sha256)) for row in aside]
    if json:
        print_json(
            {
                "inbox": str(settings.inbox_path),
                "paused": not room.enough,
                "left": left,
                "set_aside": [
                    asdict(row) | {"original": at} for row, at in zip(aside, originals, strict=True)
                ],
            }
        )
        return
    if not room.enough:
        notice(f"[red]{room.sentence}[/red]")
    print_table(
        f"Left in the inbox: {len(left)}",
        ("Since", "File", "Code", "Reason"),
        [
            (local_time(row.since, settings), row.relative_path, row.code, row.reason)
            for row in left
        ],
    )
    print_table(
        f"Set aside: {len(aside)}",
        ("At", "File", "Code", "Reason", "Original"),
        [
            (local_time(row.arrived_at, settings), row.relative_path, row.code, row.reason, at)
            for row, at in zip(aside, originals, strict=True)
        ],
    )
