"""`worklist`, `study`, `rescore`: the studies in the database, for people and programs."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from cli.common.console import (
    MOST_ROWS,
    err,
    local_time,
    moment,
    notice,
    out,
    print_json,
    print_table,
)
from cli.common.database import NO_STUDY, find_study, opened
from cli.common.options import Json, StudyName
from cli.common.worklist_table import print_worklist
from db.read_models import EventRecord, ImageRecord, ScoreRecord, StudyRecord, VerdictRecord
from db.worklist.counts import MOST, unread_priors
from db.worklist.figure_filter import FigureFilter
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order, study_detail
from db.worklist.sorting import Order, Sort
from readfirst.errors import Misconfigured
from readfirst.formatting import readable_age, readable_name, readable_probability
from readfirst.settings import Settings, load_settings
from readfirst.studies.findings import VerdictGroup, finding_text

Since = Annotated[
    str | None,
    typer.Option(help="Only what arrived since: `2h`, `3d`, or a date in the site's zone."),
]


def worklist(
    flagged: Annotated[bool, typer.Option("--flagged", help="Flagged studies only.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Read studies too.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Only studies that are read.")] = False,
    priors: Annotated[
        bool, typer.Option("--priors", help="Only studies that came in for comparison.")
    ] = False,
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
    agreement: Annotated[
        VerdictGroup | None,
        typer.Option(help="Only studies of which the latest verdict compares so with the AI."),
    ] = None,
    ensemble: Annotated[
        str | None,
        typer.Option(help="Compare with this version; default: what the AI said at the verdict."),
    ] = None,
    sort: Annotated[
        Sort, typer.Option(help="Sort order; only `reading` sorts by urgency.")
    ] = Sort.READING,
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse order.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 50,
    uid: Annotated[bool, typer.Option("--uid", help="Show the Study Instance UID.")] = False,
    json: Json = False,
) -> None:
    """Print the unread studies, the most urgent first, each with its reason."""
    if every + read + priors > 1:
        raise Misconfigured("Choose one of --all, --read and --priors.")
    settings, now = load_settings(), datetime.now(UTC)
    with opened(settings) as database, database.read() as session:
        rows = reading_order(
            session,
            limit=limit,
            order=Order(sort, reverse),
            which=WorklistFilter(
                flagged=flagged,
                unread=None if every or priors else not (read or agreement),
                prior=True if priors else None,
                refused=refused,
                institution=institution,
                since=moment(since, settings),
                until=moment(until, settings, "--until"),
                figure=FigureFilter(agreement=agreement, ensemble=ensemble),
            ),
            display=settings.display(now),
        )
        passed_over = 0 if every or read or priors or agreement else unread_priors(session)
    print_json(rows) if json else print_worklist(rows, with_uid=uid)
    if passed_over:
        notice_priors(passed_over)


def study(
    study_instance_uid: StudyName,
    json: Json = False,
) -> None:
    """Print one study: images, scores of every ensemble version, verdicts, and events."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        display = settings.display(datetime.now(UTC))
        name = find_study(session, study_instance_uid)
        detail = study_detail(session, name, display=display)
    if detail is None:
        notice(NO_STUDY.format(study_instance_uid), "red")
        raise typer.Exit(1)
    if json:
        print_json(detail)
        return
    out().print(Text(detail.study.why, "bold"))
    out().print(Text(f"Study {_uid_line(detail.study)}"))
    for warning in detail.study.warnings:
        others = f" ({', '.join(warning.others)})" if warning.others else ""
        sentence = Text(f"{warning.code}: {warning.reason}{others}", "yellow")
        out().print(sentence, soft_wrap=True)
    print_table("Order", ("What", "Value"), _order(detail.study, settings))
    print_table("Images", IMAGE_COLUMNS, [_image_row(image) for image in detail.study.images])
    print_table("Scores", SCORE_COLUMNS, [_score_row(score, settings) for score in detail.scores])
    verdicts = [_verdict_row(verdict, settings) for verdict in detail.verdicts]
    print_table("Verdicts", VERDICT_COLUMNS, verdicts)
    print_table("Events", EVENT_COLUMNS, [_event_row(event, settings) for event in detail.events])


def _uid_line(record: StudyRecord) -> str:
    made = " (made here)" if record.study_instance_uid_made_here else ""
    invalid = record.invalid_study_instance_uid
    in_files = f"; in the files {invalid}, which is no UID" if invalid else ""
    return f"{record.study_instance_uid}{made}{in_files}"


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
    from readfirst.tasks.celery_app import CeleryNotifier, make_app
    from worker.composition import open_use_cases
    from worker.scoring.rescore import rescore as queue_again

    settings = load_settings()
    notifier = CeleryNotifier(make_app(settings))
    with open_use_cases(settings, notifier) as use_cases, err.status("Queueing …") as status:
        total = queue_again(
            use_cases.units,
            use_cases.ensembles,
            received_since=moment(since, settings),
            again=every,
            zone=settings.zone,
            progress=lambda count: status.update(f"Queueing … {count}"),
        )
    notice(f"{total} images queued for rescoring." if total else "Nothing to rescore.")


def notice_priors(number: int) -> None:
    """Say that a list of unread studies leaves out some that came in for comparison."""
    text = f"{MOST}+" if number > MOST else number
    notice(f"Priors, which came in for comparison, are not among them: {text}. See --priors.")


IMAGE_COLUMNS = ("Image", "File", "View", "State", "Why not, or why not validated")


def _image_row(image: ImageRecord) -> tuple[str, ...]:
    return (
        image.sha256[:12],
        image.file_name,
        " ".join(filter(None, (image.modality, image.view_position))),
        image.state.value,
        _why_not(image),
    )


SCORE_COLUMNS = (
    "Image", "Ensemble", "Population", "Probability", "Threshold", "Flagged", "Members",
    "Spread (points)", "At",
)  # fmt: skip


def _score_row(score: ScoreRecord, settings: Settings) -> tuple[str, ...]:
    return (
        score.sha256[:12],
        score.ensemble_version,
        score.population or "–",
        readable_probability(score.probability),
        readable_probability(score.threshold),
        "yes" if score.flagged else "no",
        ", ".join(f"{name} {readable_probability(value)}" for name, value in score.members.items()),
        f"{100 * score.spread:.1f}",
        local_time(score.scored_at, settings),
    )


VERDICT_COLUMNS = ("At", "Who", "Finding", "Stands", "Comment")


def _verdict_row(verdict: VerdictRecord, settings: Settings) -> tuple[str, ...]:
    return (
        local_time(verdict.at, settings),
        verdict.by or "–",
        "withdrawn" if verdict.withdrawn else finding_text(verdict.finding),
        "yes" if verdict.stands else "",
        verdict.comment or "",
    )


EVENT_COLUMNS = ("At", "Image", "What", "Detail")


def _event_row(event: EventRecord, settings: Settings) -> tuple[str, ...]:
    return (
        local_time(event.at, settings),
        (event.sha256 or "")[:12],
        event.action,
        ", ".join(f"{name}: {_detail(name, value)}" for name, value in event.detail.items()),
    )


def _detail(name: str, value: object) -> object:
    if name in ("probability", "threshold") and isinstance(value, float):
        return readable_probability(value)
    return value


def _why_not(image: ImageRecord) -> str:
    if image.code:
        return f"{image.code}: {image.reason}"
    return " ".join(f"{mark.code}: {mark.reason}" for mark in image.marks)


def _order(row: StudyRecord, settings: Settings) -> list[tuple[str, str]]:
    """Patient and order, as DICOM gives them."""
    rows = {
        "Patient": readable_name(row.patient_name or ""),
        "Patient ID": "@".join(filter(None, (row.patient_id, row.issuer_of_patient_id))),
        "Sex": row.patient_sex or "",
        "Born": row.patient_birth_date.isoformat() if row.patient_birth_date else "",
        "Age": readable_age(row.patient_age) if row.patient_age else "",
        "Accession number": row.accession_number or "",
        "Referring physician": readable_name(row.referring_physician_name or ""),
        "Institution": row.institution_name or "",
        "Exam": row.study_description or "",
        "Procedure": row.requested_procedure_description or "",
        "Indication": row.reason_for_the_requested_procedure or "",
        "History": row.additional_patient_history or "",
        "Priors": str(row.prior_count or ""),
        "Study": local_time(row.study_datetime, settings) if row.study_datetime else "",
        "Acquisition": (
            local_time(row.acquisition_datetime, settings) if row.acquisition_datetime else ""
        ),
        "Complete": "yes" if row.complete else "not yet",
    }
    return [(name, value) for name, value in rows.items() if value]
