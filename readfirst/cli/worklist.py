"""`worklist`, `study`, `rescore`: what is in the database, for people and programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from db.filters import WorklistFilter
from db.migrate import upgrade
from db.session import Database, open_database
from db.sorting import Order, Sort
from db.views import ImageView, StudyView
from db.worklist import reading_order, study_detail
from readfirst.cli.console import (
    err,
    local_time,
    moment,
    notice,
    out,
    print_json,
    print_table,
)
from readfirst.errors import Misconfigured, Unavailable
from readfirst.findings import said
from readfirst.settings import Settings, load_settings
from readfirst.words import readable_age, readable_name, short_duration

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Since = Annotated[
    str | None,
    typer.Option(help="Only what arrived since: `2h`, `3d`, or a date in the site's zone."),
]


def worklist(
    flagged: Annotated[bool, typer.Option("--flagged", help="Flagged studies only.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Read studies too.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Only studies that are read.")] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="Only studies with an image that was refused.")
    ] = False,
    institution: Annotated[
        str | None, typer.Option(help="Only films of this Institution Name.")
    ] = None,
    since: Since = None,
    until: Annotated[
        str | None, typer.Option(help="Only what arrived before then, said as in --since.")
    ] = None,
    sort: Annotated[
        Sort, typer.Option(help="By what; nothing but `reading` is by urgency.")
    ] = Sort.READING,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 50,
    json: Json = False,
) -> None:
    """Print the unread studies, the most urgent first, each with why it stands there."""
    if every and read:
        raise Misconfigured("Choose one of --all and --read.")
    settings, now = load_settings(), datetime.now(UTC)
    with opened(settings) as database, database.read() as session:
        rows = reading_order(
            session,
            limit=limit,
            order=Order(sort, reverse),
            which=WorklistFilter(
                flagged=flagged,
                unread=None if every else not read,
                refused=refused,
                institution=institution,
                since=moment(since, settings),
                until=moment(until, settings),
            ),
            prevalence=settings.prevalence,
            quiet_before=settings.quiet_before(now),
            overdue=settings.overdue(now),
        )
    if json:
        print_json(rows)
    else:
        print_worklist(rows)


def study(
    study_instance_uid: Annotated[str, typer.Argument(help="Study Instance UID.")],
    json: Json = False,
) -> None:
    """Print one study: images, scores of every ensemble version, verdicts, and events."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        detail = study_detail(
            session,
            study_instance_uid,
            prevalence=settings.prevalence,
            quiet_before=settings.quiet_before(datetime.now(UTC)),
        )
    if detail is None:
        notice(f"[red]No study has the UID {study_instance_uid}.[/red]")
        raise typer.Exit(1)
    if json:
        print_json(detail)
        return
    out().print(f"[bold]{escape(detail.study.why)}[/bold]\nStudy {study_instance_uid}")
    for warning in detail.study.warnings:
        others = f" ({', '.join(warning.others)})"
        out().print(f"[yellow]{warning.code}: {warning.reason}{others}[/yellow]", soft_wrap=True)
    print_table("Order", ("What", "Value"), _order(detail.study, settings))
    print_table("Images", IMAGE_COLUMNS, [_image_row(image) for image in detail.study.images])
    print_table(
        "Scores",
        ("Image", "Ensemble", "Probability", "Threshold", "Flagged", "Members", "Spread", "At"),
        [
            (
                score.sha256[:12],
                score.ensemble_version,
                f"{score.probability:.3f}",
                f"{score.threshold:.3f}",
                "yes" if score.flagged else "no",
                ", ".join(f"{name} {value:.3f}" for name, value in score.members.items()),
                f"{score.spread:.3f}",
                local_time(score.scored_at, settings),
            )
            for score in detail.scores
        ],
    )
    print_table(
        "Verdicts",
        ("At", "Who", "Finding", "Stands", "Comment"),
        [
            (
                local_time(verdict.at, settings),
                verdict.by or "–",
                "withdrawn" if verdict.withdrawn else said(verdict.finding),
                "yes" if verdict.stands else "",
                verdict.comment or "",
            )
            for verdict in detail.verdicts
        ],
    )
    print_table(
        "Events",
        ("At", "Image", "What", "Detail"),
        [
            (
                local_time(event.at, settings),
                (event.sha256 or "")[:12],
                event.action,
                ", ".join(f"{name}: {value}" for name, value in event.detail.items()),
            )
            for event in detail.events
        ],
    )


def rescore(
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also images that the active ensemble has scored: their scores stay, and a "
            "result that differs is noted in the study's events.",
        ),
    ] = False,
    since: Since = None,
) -> None:
    """Queue images that the active ensemble has not scored, behind all live ones."""
    from readfirst.queue import CeleryRinger, make_app
    from worker.nightly import rescore as queue_again
    from worker.resources import open_resources

    settings = load_settings()
    ringer = CeleryRinger(make_app(settings))
    with open_resources(settings, ringer) as resources, err.status("Queueing …") as status:
        total = queue_again(
            resources,
            received_since=moment(since, settings),
            again=every,
            progress=lambda count: status.update(f"Queueing … {count}"),
        )
    notice(f"{total} images wait for the active ensemble.")


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database at its newest schema. Raises Unavailable when it does not answer."""
    settings.home_path.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database)
    try:
        upgrade(database)
        yield database
    except DBAPIError as error:
        raise Unavailable(f"The database does not answer: {error.orig}") from error
    finally:
        database.dispose()


def print_worklist(rows: list[StudyView]) -> None:
    """The worklist as a table, numbered from the most urgent."""
    now = datetime.now(UTC)
    print_table(
        f"Worklist: {len(rows)} studies",
        ("#", "", "Prob.", "Patient", "Age", "Waiting", "Why here", "Study Instance UID"),
        [
            (
                str(place),
                _flag(row),
                "–" if row.probability is None else f"{row.probability:.2f}",
                readable_name(row.patient_name) if row.patient_name else _file_of(row),
                readable_age(row.patient_age) if row.patient_age else "",
                short_duration(now - row.received_at),
                _why(row),
                row.study_instance_uid,
            )
            for place, row in enumerate(rows, 1)
        ],
    )


IMAGE_COLUMNS = ("Image", "File", "View", "State", "Why not, or why not validated")


def _image_row(image: ImageView) -> tuple[str, ...]:
    return (
        image.sha256[:12],
        image.file_name,
        " ".join(filter(None, (image.modality, image.view_position))),
        image.state.value,
        _why_not(image),
    )


def _why_not(image: ImageView) -> str:
    if image.code:
        return f"{image.code}: {image.reason}"
    return " ".join(f"{mark.code}: {mark.reason}" for mark in image.marks)


def _why(row: StudyView) -> str:
    """Why a study stands where it stands, and what is odd about it."""
    arriving = () if row.complete else ("Not complete yet.",)
    return " ".join((row.why, *arriving, *(warning.reason for warning in row.warnings)))


def _order(row: StudyView, settings: Settings) -> list[tuple[str, str]]:
    """Patient and order, as DICOM gives them."""
    said = {
        "Patient": readable_name(row.patient_name or ""),
        "Patient ID": "@".join(filter(None, (row.patient_id, row.issuer_of_patient_id))),
        "Sex": row.patient_sex or "",
        "Born": row.patient_birth_date.isoformat() if row.patient_birth_date else "",
        "Age": readable_age(row.patient_age) if row.patient_age else "",
        "Accession number": row.accession_number or "",
        "Referring physician": readable_name(row.referring_physician_name or ""),
        "Institution": row.institution_name or "",
        "Study": local_time(row.study_datetime, settings) if row.study_datetime else "",
        "Acquisition": (
            local_time(row.acquisition_datetime, settings) if row.acquisition_datetime else ""
        ),
        "Complete": "yes" if row.complete else "not yet",
    }
    return [(name, value) for name, value in said.items() if value]


def _flag(row: StudyView) -> Text:
    stat, flag = Text("STAT", "bold magenta"), Text("⚑", "bold red")
    return Text(" ").join([*([stat] if row.stat else []), *([flag] if row.flagged else [])])


def _file_of(row: StudyView) -> str:
    return row.images[0].file_name.rsplit("/", 1)[-1] if row.images else ""
