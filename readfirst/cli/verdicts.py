"""`verdict`, `verdicts`: what readers say of studies."""

from datetime import UTC, datetime
from enum import StrEnum
from getpass import getuser
from typing import Annotated

import typer

from db.audit import Actor
from db.verdicts import MOST_COMMENT, Opinion, all_verdicts, give, verdicts_of
from db.views import VerdictView
from readfirst.cli.console import local_time, moment, notice, print_json, print_table
from readfirst.cli.worklist import Json, opened
from readfirst.errors import Misconfigured
from readfirst.findings import AGREEMENT_WORDS, Finding, said
from readfirst.settings import Settings, load_settings


class Said(StrEnum):
    """What can be said of a study."""

    PNEUMONIA = "pneumonia"
    NO_PNEUMONIA = "no-pneumonia"
    CANNOT_TELL = "cannot-tell"
    #: Read, without an opinion.
    READ = "read"
    #: Withdraws the verdict that stands.
    UNREAD = "unread"


OPINIONS = {
    Said.PNEUMONIA: Opinion(finding=Finding.PNEUMONIA),
    Said.NO_PNEUMONIA: Opinion(finding=Finding.NO_PNEUMONIA),
    Said.CANNOT_TELL: Opinion(finding=Finding.CANNOT_TELL),
    Said.READ: Opinion(),
    Said.UNREAD: Opinion(withdrawn=True),
}


def verdict(
    study_instance_uid: Annotated[str, typer.Argument(help="Study Instance UID.")],
    finding: Annotated[
        Said,
        typer.Argument(
            help="What the study shows; `read` gives no opinion, `unread` withdraws a verdict."
        ),
    ],
    comment: Annotated[str | None, typer.Option(help=f"At most {MOST_COMMENT} characters.")] = None,
) -> None:
    """Say what a study shows: it is read then. A later verdict replaces it, and all are kept."""
    settings = load_settings()
    if len(comment or "") > MOST_COMMENT:
        raise Misconfigured(f"--comment has more than {MOST_COMMENT} characters.")
    stated = OPINIONS[finding]
    opinion = Opinion(finding=stated.finding, withdrawn=stated.withdrawn, comment=comment)
    with opened(settings) as database, database.write() as session:
        number = give(
            session,
            study_instance_uid,
            opinion,
            Actor(None, None),
            datetime.now(UTC),
            seen=None,
            name=getuser(),
        )
        given = verdicts_of(session, study_instance_uid)
    if number is None:
        notice(f"[red]No study has the UID {study_instance_uid}.[/red]")
        raise typer.Exit(1)
    replaced = next((one for one in reversed(given[:-1])), None)
    if replaced and not replaced.withdrawn:
        notice(f"It replaces that of {replaced.by or 'somebody'}: {said(replaced.finding)}.")


def verdicts(
    since: Annotated[
        str | None,
        typer.Option(help="Only given since: `2h`, `3d`, or a date in the site's zone."),
    ] = None,
    study: Annotated[str | None, typer.Option(help="Only of this Study Instance UID.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 100,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
) -> None:
    """Print what readers said and what the AI had said, the latest first."""
    if json and csv:
        raise Misconfigured("Choose one of --json and --csv.")
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        rows = all_verdicts(
            session,
            limit=limit,
            since=moment(since, settings),
            study_instance_uid=study,
            prevalence=settings.prevalence,
        )
    if json:
        print_json(rows)
    elif csv:
        from worklist.api.answers import as_csv

        print(as_csv(VerdictView, rows).decode(), end="")
    else:
        columns = ("At", "Who", "Finding", "AI then", "Agreement", "Stands", "Comment", "Study")
        print_table(f"Verdicts: {len(rows)}", columns, [_row(row, settings) for row in rows])


def _row(row: VerdictView, settings: Settings) -> tuple[str, ...]:
    return (
        local_time(row.at, settings),
        row.by or "–",
        "withdrawn" if row.withdrawn else said(row.finding),
        _ai(row),
        AGREEMENT_WORDS[row.agreement] if row.agreement else "",
        "yes" if row.stands else "",
        row.comment or "",
        row.study_instance_uid,
    )


def _ai(row: VerdictView) -> str:
    if row.probability is None:
        return "not scored"
    return f"{row.probability:.2f} {'flagged' if row.flagged else 'not flagged'}"
