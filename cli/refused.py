"""`refused`, `retry`, `original`: what was not scored, for people and programs."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from cli.common.console import (
    MOST_ROWS,
    local_time,
    moment,
    notice,
    print_json,
    print_table,
)
from cli.common.database import find_image, opened
from cli.common.options import Json
from cli.common.progress import tracked
from db.read_models import RefusedRecord
from db.session import Database
from db.worklist.refused import RefusedFilter, refused_counts, refused_images
from readfirst.errors import Misconfigured
from readfirst.files.private_files import users_umask
from readfirst.refusals import MACHINE_FAULTS, RefusalCode
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from readfirst.tasks.notifier import TaskNotifier
    from worker.upkeep.retry import Retried

Code = Annotated[RefusalCode | None, typer.Option(help="Only what was refused by this code.")]
Since = Annotated[
    str | None,
    typer.Option(help="Only what was refused since: `2h`, `3d`, or a date in the site's zone."),
]
Image = Annotated[
    str,
    typer.Argument(
        metavar="IMAGE", help="The image's number, or its sha256 or the first 12 digits of it."
    ),
]


def refused(
    code: Code = None,
    since: Since = None,
    by_code: Annotated[bool, typer.Option("--counts", help="How many by each code.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 100,
    json: Json = False,
) -> None:
    """Print what was not scored, with code, sentence and where the original is kept."""
    settings = load_settings()
    which = RefusedFilter(code=code, since=moment(since, settings))
    with opened(settings) as database, database.read() as session:
        counts = refused_counts(session, which=which)
        rows = [] if by_code else refused_images(session, limit=limit, which=which)
    if by_code:
        _print_counts(counts, json=json)
    elif json:
        print_json([asdict(row) | {"original": _original(row, settings)} for row in rows])
    else:
        total = sum(counts.values())
        _print_rows(f"Not scored: {len(rows)} of {total}", rows, settings)


def retry(
    image: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]…",
            help="Numbers of images, or their sha256 or the first 12 digits of it.",
        ),
    ] = None,
    code: Code = None,
    since: Since = None,
    machine_faults: Annotated[
        bool,
        typer.Option(
            "--machine-faults",
            help="Only what a fault of the machine may have caused: decoder_crashed, "
            "decoder_timeout and processing_failed.",
        ),
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Everything that was refused.")] = False,
    json: Json = False,
) -> None:
    """Try refused images again, as after a fix: from their originals, by the rules of today."""
    from worker.composition import open_use_cases
    from worker.upkeep.retry import refused as refused_numbers
    from worker.upkeep.retry import retry as try_again

    if sum((bool(image), code is not None, machine_faults, every)) != 1:
        raise Misconfigured("Give image numbers, --code CODE, --machine-faults, or --all.")
    settings = load_settings()
    codes = MACHINE_FAULTS if machine_faults else None
    which = RefusedFilter(code=code, codes=codes, since=moment(since, settings))

    def chosen(database: Database) -> list[int]:
        if image:
            return [find_image(database, name).image_id for name in image]
        return list(refused_numbers(database, which))

    with open_use_cases(settings, _notifier(settings)) as use_cases:
        ids = chosen(use_cases.units.database)
        tries = try_again(use_cases.units, use_cases.intake, ids)
        done = list(tracked(tries, "Trying again", len(ids)))
    if json:
        print_json(done)
    else:
        _print_tried(done)
    _notice_tried(done, len(ids))


def _print_tried(done: "Sequence[Retried]") -> None:
    print_table(
        "Tried again",
        ("Image", "sha256", "Refused as", "Now"),
        [
            (str(row.image_id), row.sha256[:12], row.before, row.now or "back in work")
            for row in done
        ],
    )


def _notice_tried(done: "Sequence[Retried]", chosen: int) -> None:
    now = Counter(
        "back in work" if row.now is None else f"still refused ({row.now.value})" for row in done
    )
    results = ", ".join(f"{count} {what}" for what, count in now.most_common())
    notice(f"{len(done)} of {chosen} retried: {results or 'none was refused'}.")


def original(
    image: Image,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write it; `-` is standard output.")
    ],
) -> None:
    """Write out the file of an image as it came in, checked against its digest."""
    from ingest.inbox.store import Store

    settings = load_settings()
    with opened(settings) as database:
        record = find_image(database, image)
    if record.original_removed_at is not None:
        removed = local_time(record.original_removed_at, settings)
        notice(f"The original was removed on {removed}, as the settings say.", "red")
        raise typer.Exit(1)
    with _opened_new(output) as target:
        Store(settings.store_path).export(record.sha256, target)


@contextmanager
def _opened_new(output: Path) -> Iterator[BinaryIO]:
    """A new file, which does not stay when what is written into it fails; or standard output."""
    if output == Path("-"):
        yield sys.stdout.buffer
        return
    try:
        # For whoever the user wants to give it to.
        with users_umask():
            target = output.open("xb")
    except OSError as error:
        raise Misconfigured(f"{output}: {error.strerror}") from error
    try:
        with target:
            yield target
    except BaseException:
        # Whatever broke off, Ctrl-C too: half an original is none.
        output.unlink()
        raise


def _notifier(settings: Settings) -> "TaskNotifier":
    from readfirst.tasks.celery_app import CeleryNotifier, make_app

    return CeleryNotifier(make_app(settings))


def _print_counts(counts: dict[RefusalCode, int], *, json: bool) -> None:
    if json:
        print_json({code.value: count for code, count in counts.items()})
        return
    print_table(
        f"Not scored: {sum(counts.values())}",
        ("Code", "Images"),
        [(code.value, str(count)) for code, count in counts.items()],
    )


def _print_rows(title: str, rows: list[RefusedRecord], settings: Settings) -> None:
    print_table(
        title,
        ("Image", "At", "File", "Code", "Reason", "Original"),
        [
            (
                str(row.image_id),
                local_time(row.refused_at, settings),
                row.file_name,
                row.code,
                row.reason,
                _original(row, settings) or "removed",
            )
            for row in rows
        ],
    )


def _original(row: RefusedRecord, settings: Settings) -> str | None:
    """Return the path of the original, or None when the site's retention removed it."""
    from ingest.inbox.store import Store

    if row.original_removed_at is not None:
        return None
    return str(Store(settings.store_path).path(row.sha256))
