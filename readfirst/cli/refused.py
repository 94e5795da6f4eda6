"""`refused`, `retry`, `original`: what was not scored, for people and programs."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.progress import track

from db.refused import Which, find_original, refused_counts, refused_images
from db.session import Database
from db.views import OriginalView, RefusedView
from readfirst.cli.console import err, local_time, moment, notice, print_json, print_table
from readfirst.cli.worklist import Json, opened
from readfirst.errors import Misconfigured
from readfirst.refusals import RefusalCode
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from readfirst.queue import Ringer

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
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 100,
    json: Json = False,
) -> None:
    """Print what was not scored, with code, sentence and where the original is kept."""
    settings = load_settings()
    which = Which(code=code, since=moment(since, settings))
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
    every: Annotated[bool, typer.Option("--all", help="Everything that was refused.")] = False,
    json: Json = False,
) -> None:
    """Try refused images again, as after a fix: from their originals, by the rules of today."""
    from worker.resources import Resources, open_resources
    from worker.retry import refused as refused_numbers
    from worker.retry import retry as try_again

    if sum((bool(image), code is not None, every)) != 1:
        raise Misconfigured("Say which: images, --code, or --all.")
    settings = load_settings()
    which = Which(code=code, since=moment(since, settings))

    def meant(resources: Resources) -> list[int]:
        if image:
            return [found_image(resources.database, name).image_id for name in image]
        return list(refused_numbers(resources, which))

    with open_resources(settings, _ringer(settings)) as resources:
        ids = meant(resources)
        tries = try_again(resources, ids)
        done = list(track(tries, "Trying again", total=len(ids), console=err, transient=True))
    if json:
        print_json(done)
    else:
        print_table(
            "Tried again",
            ("Image", "sha256", "Refused as", "Now"),
            [
                (str(one.image_id), one.sha256[:12], one.before, one.now or "back in work")
                for one in done
            ],
        )
    now = Counter("back in work" if one.now is None else one.now.value for one in done)
    notice(
        f"{len(done)} of {len(ids)} tried again: "
        + (", ".join(f"{count} {what}" for what, count in now.most_common()) or "none was refused")
        + "."
    )


def original(
    image: Image,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write it; `-` is standard output.")
    ],
) -> None:
    """Write out the file of an image as it came in, checked against its digest."""
    from ingest.store import Store

    settings = load_settings()
    with opened(settings) as database:
        found = found_image(database, image)
    if found.original_removed_at is not None:
        removed = local_time(found.original_removed_at, settings)
        notice(f"[red]The original was removed on {removed}, as the settings say.[/red]")
        raise typer.Exit(1)
    with _opened_new(output) as target:
        Store(settings.store_path).export(found.sha256, target)


@contextmanager
def _opened_new(output: Path) -> Iterator[BinaryIO]:
    """A new file, which does not stay when what is written into it fails; or standard output."""
    if output == Path("-"):
        yield sys.stdout.buffer
        return
    try:
        target = output.open("xb")
    except OSError as error:
        raise Misconfigured(f"{output}: {error.strerror}") from error
    try:
        with target:
            yield target
    except BaseException:
        output.unlink()
        raise


def found_image(database: Database, name: str) -> OriginalView:
    """The image of this number or digest. Raises Misconfigured if there is none, or several."""
    with database.read() as session:
        found = find_original(session, name)
    if found is None:
        raise Misconfigured(f"No image, or more than one, has the number or digest {name}.")
    return found


def _ringer(settings: Settings) -> "Ringer":
    from readfirst.queue import CeleryRinger, make_app

    return CeleryRinger(make_app(settings))


def _print_counts(counts: dict[RefusalCode, int], *, json: bool) -> None:
    if json:
        print_json({code.value: count for code, count in counts.items()})
        return
    print_table(
        f"Not scored: {sum(counts.values())}",
        ("Code", "Images"),
        [(code.value, str(count)) for code, count in counts.items()],
    )


def _print_rows(title: str, rows: list[RefusedView], settings: Settings) -> None:
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


def _original(row: RefusedView, settings: Settings) -> str | None:
    """Where the original is, or None when the site's retention removed it."""
    from ingest.store import Store

    if row.original_removed_at is not None:
        return None
    return str(Store(settings.store_path).path(row.sha256))
