"""`inbox`: the files that lie in the drop folder and are not taken, and those that are no films."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.inbox.ignored_files import IgnoredFileRecord, ignored_files
from db.inbox.inbox_issues import InboxIssueRecord, inbox_issues
from readfirst.settings import Settings, load_settings


def inbox(
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_ROWS, help="Most files that were set aside.")
    ] = 50,
    json: Json = False,
) -> None:
    """List files that stay in the inbox, and files that are not films."""
    from ingest.inbox.disk import intake_disk_space
    from ingest.inbox.store import Store

    settings = load_settings()
    store = Store(settings.store_path)
    space = intake_disk_space(settings)
    with opened(settings) as database, database.read() as session:
        issues = inbox_issues(session)
        ignored = ignored_files(session, limit=limit)
    originals = [str(store.path(file.sha256)) for file in ignored]
    if json:
        print_json(
            {
                "inbox": str(settings.inbox_path),
                "paused": not space.enough,
                "left": issues,
                "set_aside": [
                    asdict(file) | {"original": original}
                    for file, original in zip(ignored, originals, strict=True)
                ],
            }
        )
        return
    if not space.enough:
        notice(f"{space.sentence}", "red")
    _print_issues(issues, settings)
    _print_ignored(ignored, originals, settings)


def _print_issues(issues: Sequence[InboxIssueRecord], settings: Settings) -> None:
    print_table(
        f"Left in the inbox: {len(issues)}",
        ("Since", "File", "Code", "Reason"),
        [
            (local_time(issue.since, settings), issue.relative_path, issue.code, issue.reason)
            for issue in issues
        ],
    )


def _print_ignored(
    ignored: Sequence[IgnoredFileRecord], originals: Sequence[str], settings: Settings
) -> None:
    print_table(
        f"Set aside: {len(ignored)}",
        ("At", "File", "Code", "Reason", "Original"),
        [
            (
                local_time(file.arrived_at, settings),
                file.relative_path,
                file.code,
                file.reason,
                original,
            )
            for file, original in zip(ignored, originals, strict=True)
        ],
    )
