"""`audit`: who did or saw what, and when."""

from typing import Annotated

import typer

from db.audit import AuditView, entries
from readfirst.cli.console import local_time, moment, print_json, print_table
from readfirst.cli.worklist import Json, opened
from readfirst.settings import Settings, load_settings


def audit(
    since: Annotated[
        str | None,
        typer.Option(help="Only since: `2h`, `3d`, or a date in the site's zone."),
    ] = None,
    study: Annotated[str | None, typer.Option(help="Only of this Study Instance UID.")] = None,
    account: Annotated[str | None, typer.Option(help="Only by this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 100,
    json: Json = False,
) -> None:
    """Print who did or saw what on the page and the API, the latest first."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = entries(
            session,
            limit=limit,
            since=moment(since, settings),
            account=account.lower() if account else None,
            study_instance_uid=study,
        )
    if json:
        print_json(rows)
    else:
        columns = ("At", "Who", "From", "What", "Study", "Detail")
        print_table(f"Audit: {len(rows)}", columns, [_row(row, settings) for row in rows])


def _row(row: AuditView, settings: Settings) -> tuple[str, ...]:
    return (
        local_time(row.at, settings),
        row.account or "–",
        row.address or "command line",
        row.action,
        row.study_instance_uid or "",
        ", ".join(f"{name}: {value}" for name, value in row.detail.items()),
    )
