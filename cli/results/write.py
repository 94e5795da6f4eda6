"""`results write`: results of studies into a folder."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import moment, notice, print_json, print_table
from cli.common.database import NO_STUDY, TERMINAL, find_study, opened
from cli.common.options import Json, named_forms
from cli.common.progress import tracked
from db.session import Database
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_page, study_exists
from db.worklist.sorting import Position
from readfirst import DISCLAIMER
from readfirst.errors import Misconfigured, NotThere
from readfirst.results.values import ResultKind
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from results.folder import WrittenStudy

#: Studies that are read from the database at a time.
PAGE = 500


def write(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STUDY]…", help="Numbers in `readfirst worklist`, or Study Instance UIDs."
        ),
    ] = None,
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if need be.")],
    since: Annotated[
        str | None,
        typer.Option(
            help="Every flagged study that arrived since: `2h`, `3d`, or a date in the site's zone."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="With --since: studies that are not flagged too.")
    ] = False,
    kinds: Annotated[
        str,
        typer.Option(
            "--form",
            "--kind",
            help="sr: the report (TID 1500). kos: the flag (Key Object Selection). sc, gsps: the "
            "heat map of flagged films, as a picture or as outlines. verdict: a reader's verdict. "
            "oru, fhir: the result as an HL7 v2 message, or as a FHIR transaction.",
        ),
    ] = "sr,kos",
    json: Json = False,
) -> None:
    """Write results into a folder, a folder for each study. Noted in the audit log.

    All of it is the AI's opinion, and says so. Nothing that is written lowers or rules out.
    """
    from ingest.reader.reader_process import Reader
    from results.folder import write_results
    from results.services import result_services

    if bool(studies) == (since is not None) or (every and since is None):
        raise Misconfigured("Give studies, or --since, with --all or without.")
    wanted = named_forms(ResultKind, (name.strip() for name in kinds.split(",")), kinds)
    settings = load_settings()
    received = moment(since, settings)
    with opened(settings) as database:
        uids = _named(database, studies) if studies else _since(database, settings, received, every)
        with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
            services = result_services(settings, database, reader)
            rows = [
                write_results(services, TERMINAL, uid, wanted, folder, by=getuser())
                for uid in tracked(uids, "Writing", len(uids))
            ]
    _print(rows, json=json)
    if studies and any(not row.written for row in rows):
        raise typer.Exit(1)


def _named(database: Database, names: list[str]) -> list[str]:
    """Return the UIDs of studies, each once. Raises NotThere for one that is none's."""
    with database.read() as session:
        uids = {name: find_study(session, name) for name in names}
        for name, uid in uids.items():
            if not study_exists(session, uid):
                raise NotThere(NO_STUDY.format(name))
    return list(dict.fromkeys(uids.values()))


def _since(
    database: Database, settings: Settings, received: datetime | None, every: bool
) -> list[str]:
    return list(_pages(database, settings, WorklistFilter(flagged=not every, since=received)))


def _pages(database: Database, settings: Settings, which: WorklistFilter) -> Iterator[str]:
    display = settings.display(datetime.now(UTC))
    after: Position | None = None
    while True:
        with database.read() as session:
            page = reading_page(session, limit=PAGE, display=display, which=which, after=after)
        yield from (study.study_instance_uid for study in page.studies)
        after = page.end
        if after is None:
            return


def _print(rows: "list[WrittenStudy]", *, json: bool) -> None:
    written = [each for row in rows for each in row.written]
    missing = [each for row in rows for each in row.missing]
    if json:
        print_json(
            {
                "written": [asdict(each) | {"path": str(each.path)} for each in written],
                "missing": missing,
            }
        )
    else:
        print_table(
            f"Written: {len(written)} results of {len(rows)} studies",
            ("Form", "Study", "File"),
            [(each.kind.value, each.study_instance_uid, str(each.path)) for each in written],
        )
    for each in missing if len(rows) == 1 else ():
        lead = f"{each.kind.value}: " if each.kind else ""
        notice(f"{lead}{each.reason}", "yellow")
    if len(rows) > 1:
        for (kind, reason), count in Counter((each.kind, each.reason) for each in missing).items():
            lead = kind.value if kind else "no result"
            notice(f"{lead} ({count} studies): {reason}", "yellow")
    if written:
        notice(DISCLAIMER)
