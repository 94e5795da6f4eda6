"""`fetch` and `fetches`: films are fetched from a source, and what came of it is listed."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common.console import MOST_ROWS, local_time, notice, print_json, print_table
from cli.common.database import TERMINAL, opened
from cli.common.options import Json
from cli.common.progress import tracked
from cli.parts import stop_on_signal
from db.access.audit import AuditAction, note
from db.pacs.fetches import fetch_records, known_images, waiting_fetches
from db.pacs.sources import PacsSourceRecord, source_record, source_records
from readfirst.calendar import parse_day
from readfirst.errors import Misconfigured, Unavailable
from readfirst.files.folders import make_inbox
from readfirst.pacs.fetches import FetchState
from readfirst.pacs.matches import StudyQuery, by_accession_number, by_day
from readfirst.pacs.source import Retrieval
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from db.session import Database
    from worker.pacs.backfill import Backfill
    from worker.pacs.fetch_study import FetchedStudy

#: Longest line of a list of accession numbers; PS3.5 6.2: SH has 16 characters, and some have more.
LONGEST_NUMBER = 64
HOUR = timedelta(hours=1)
Source = Annotated[
    str | None, typer.Option("--source", help="Name of the source. Not needed if there is one.")
]
Dates = Annotated[
    str | None,
    typer.Option(
        "--date",
        metavar="DAY or DAY..DAY",
        help="Films of this day or these days, both included, as 2026-11-01..2026-11-28.",
    ),
]
AccessionList = Annotated[
    Path | None, typer.Option(help="File with one accession number a line; `-` reads stdin.")
]
Studies = Annotated[
    list[str] | None,
    typer.Option(metavar="UID", help="A Study Instance UID. May be given several times."),
]
Left = Annotated[bool, typer.Option("--left", help="What was found before and is not fetched yet.")]
PerHour = Annotated[
    int | None,
    typer.Option(
        min=1, max=1_000_000, help="Most studies an hour. Default: READFIRST_FETCH_PER_HOUR."
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="List what the source has, and fetch nothing.")
]


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study that a PACS has, as a dry run lists it. images_here: of it, on the worklist."""

    study_instance_uid: str
    study_date: date | None
    modalities: tuple[str, ...]
    instances: int | None
    images_here: int


def fetch(
    source: Source = None,
    dates: Dates = None,
    accession_list: AccessionList = None,
    study: Studies = None,
    left: Left = False,
    per_hour: PerHour = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Fetch films (CR, DX) from a PACS: of days, by accession number or by study.

    What is here is not fetched again. Ctrl-C ends it (C-CANCEL); the same command goes on where it
    ended, as it does after a power cut.
    """
    from worker.pacs.backfill import Backfill
    from worker.pacs.services import fetch_services

    settings = load_settings()
    queries = _queries(dates, accession_list, study or [], left=left)
    interval = HOUR / (per_hour or settings.fetch_per_hour)
    with opened(settings) as database, stop_on_signal() as stop:
        record = _chosen_source(database, source)
        services = fetch_services(settings, database)
        make_inbox(settings.home_path, settings.inbox_path)
        with services.open_client(record.source, stop) as client:
            backfill = Backfill(services, record, client, interval, stop)
            if dry_run:
                _print_matches(_found_studies(backfill, database, queries), json=json)
                return
            _notice_listener(record, settings)
            uids = _noted(backfill, database, queries, left=left)
            _note_in_audit_log(database, record, len(uids))
            fetched = _fetch(backfill, uids, json=json)
        if stop.is_set():
            notice("Ended. The same command goes on.", "yellow")
        if stop.is_set() or any(each.reason for each in fetched):
            raise typer.Exit(1)


def fetches(
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    state: Annotated[FetchState | None, typer.Option(help="In this state only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Most rows.")] = 50,
    json: Json = False,
) -> None:
    """List the studies that were found at sources, the latest first, and what came of them."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        if source is not None:
            source_record(session, source)
        rows = fetch_records(session, source=source, state=state, limit=limit)
    if json:
        print_json(rows)
        return
    print_table(
        f"Studies: {len(rows)}",
        ("Found", "Source", "For", "State", "Images", "Study", "Reason"),
        [
            (
                local_time(row.found_at, settings),
                row.source,
                row.purpose.value,
                row.state.value,
                str(row.images),
                row.study_instance_uid,
                row.reason or "",
            )
            for row in rows
        ],
    )


def _queries(
    dates: str | None, accession_list: Path | None, studies: list[str], *, left: bool
) -> list[StudyQuery]:
    """The queries of the options. Raises Misconfigured unless they name one kind."""
    from ingest.dicom.attributes import is_uid

    kinds = (dates is not None, accession_list is not None, bool(studies), left)
    if sum(kinds) != 1:
        raise Misconfigured("Choose one of --date, --accession-list, --study and --left.")
    if dates is not None:
        return list(by_day(*_days(dates)))
    if accession_list is not None:
        return list(by_accession_number(_accession_numbers(accession_list)))
    for uid in studies:
        if not is_uid(uid):
            raise Misconfigured(f"--study {uid!r} is no UID; it has digits and dots alone.")
    return [StudyQuery(study_instance_uid=uid) for uid in dict.fromkeys(studies)]


def _days(text: str) -> tuple[date, date]:
    first, separator, last = text.partition("..")
    try:
        from_date = parse_day(first)
        to_date = parse_day(last) if separator else from_date
    except ValueError as error:
        raise Misconfigured(
            f"--date {text!r} is not understood. Write a day as 2026-11-28, or two with `..` "
            "between them."
        ) from error
    if to_date < from_date:
        raise Misconfigured(f"--date {text!r} ends before it begins.")
    return from_date, to_date


def _accession_numbers(path: Path) -> list[str]:
    """Read the list. Raises Misconfigured for a file that is none."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise Misconfigured(f"{path} cannot be read: {reason}.") from error
    numbers = [line.strip() for line in text.splitlines() if line.strip()]
    if not numbers:
        raise Misconfigured(f"{path} has no accession number.")
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LONGEST_NUMBER or any(sign in line for sign in "\\*?"):
            raise Misconfigured(
                f"{path}, line {number}, is no accession number: it has at most {LONGEST_NUMBER} "
                "characters, and none of `\\`, `*` and `?`."
            )
    return numbers


def _chosen_source(database: "Database", name: str | None) -> PacsSourceRecord:
    """The source that is meant. Raises Misconfigured where that is not clear."""
    with database.read() as session:
        if name is not None:
            return source_record(session, name)
        records = source_records(session)
    if len(records) == 1:
        return records[0]
    if not records:
        raise Misconfigured("There is no source: `readfirst sources add` makes one.")
    names = ", ".join(record.source.name for record in records)
    raise Misconfigured(f"There are several sources: choose by --source ({names}).")


def _note_in_audit_log(database: "Database", record: PacsSourceRecord, studies: int) -> None:
    with database.write() as session:
        note(
            session,
            TERMINAL,
            AuditAction.FILMS_FETCHED,
            datetime.now(UTC),
            source=record.source.name,
            studies=studies,
            by=getuser(),
        )


def _notice_listener(record: PacsSourceRecord, settings: Settings) -> None:
    if record.source.retrieval is Retrieval.C_MOVE:
        notice(
            f"Films come by C-MOVE to {settings.receive_ae_title}: the DICOM listener must run.",
            "dim",
        )


def _found_studies(
    backfill: "Backfill", database: "Database", queries: list[StudyQuery]
) -> Iterator[FoundStudy]:
    for matches in backfill.find(tracked(queries, "Queries", len(queries))):
        for match in matches:
            with database.read() as session:
                images = known_images(session, match.study_instance_uid)
            yield FoundStudy(
                study_instance_uid=match.study_instance_uid,
                study_date=match.study_date,
                modalities=match.modalities,
                instances=match.instances,
                images_here=len(images),
            )


def _print_matches(studies: Iterable[FoundStudy], *, json: bool) -> None:
    rows = list(studies)
    if json:
        print_json(rows)
        return
    print_table(
        f"Studies: {len(rows)}",
        ("Date", "Modalities", "Images there", "Images here", "Study"),
        [
            (
                row.study_date.isoformat() if row.study_date else "",
                ", ".join(row.modalities),
                "" if row.instances is None else str(row.instances),
                str(row.images_here),
                row.study_instance_uid,
            )
            for row in rows
        ],
    )


def _noted(
    backfill: "Backfill", database: "Database", queries: list[StudyQuery], *, left: bool
) -> list[str]:
    """The UIDs of what is to be fetched, in rows by now, so that nothing is forgotten."""
    if left:
        with database.read() as session:
            return waiting_fetches(session, backfill.record.id)
    uids: list[str] = []
    count = 0
    for matches in backfill.find(tracked(queries, "Queries", len(queries))):
        uids += backfill.note(matches)
        count += len(matches)
    notice(f"{count} studies of films there, {len(uids)} to look at.")
    return uids


def _fetch(backfill: "Backfill", uids: list[str], *, json: bool) -> "list[FetchedStudy]":
    results: list[FetchedStudy] = []
    try:
        for result in tracked(backfill.fetch(uids), "Studies", len(uids)):
            results.append(result)
    except Unavailable as error:
        _print_results(results, len(uids), json=json)
        raise Unavailable(f"{error}\nWhat is left is known: the same command goes on.") from error
    _print_results(results, len(uids), json=json)
    return results


def _print_results(results: "list[FetchedStudy]", total: int, *, json: bool) -> None:
    states = Counter(result.state for result in results)
    images = sum(result.images for result in results)
    failed = [result for result in results if result.reason]
    if json:
        print_json(_summary(results, total, images))
        return
    if failed:
        print_table(
            f"Not fetched: {len(failed)}",
            ("Study", "Images", "Reason"),
            [(each.study_instance_uid, str(each.images), each.reason or "") for each in failed],
        )
    notice(
        f"{images} images came, of {states[FetchState.FETCHED]} studies; {len(failed)} studies "
        f"failed, {total - len(results)} are left."
    )


def _summary(results: "list[FetchedStudy]", total: int, images: int) -> dict[str, Any]:
    return {"studies": results, "images": images, "left": total - len(results)}
