"""`verdict`, `verdicts`: the verdicts of readers."""

from dataclasses import replace
from enum import StrEnum
from getpass import getuser
from typing import Annotated

import typer

from cli.common.console import MOST_ROWS, local_time, moment, notice, print_json, print_table
from cli.common.database import NO_STUDY, TERMINAL, find_study, opened
from cli.common.options import Json, StudyName
from db.lifecycle.unit_of_work import site_policy, unit_of_work
from db.lifecycle.verdicts import MOST_COMMENT, VerdictInput, submit_verdict
from db.read_models import VerdictRecord
from db.verdicts import all_verdicts, verdicts_of
from readfirst.errors import Misconfigured
from readfirst.formatting import readable_probability
from readfirst.settings import Settings, load_settings
from readfirst.studies.findings import AGREEMENT_WORDS, Finding, finding_text


class Answer(StrEnum):
    """An answer of a reader."""

    PNEUMONIA = "pneumonia"
    NO_PNEUMONIA = "no-pneumonia"
    CANNOT_TELL = "cannot-tell"
    #: Read, without an opinion.
    READ = "read"
    #: Withdraws the verdict that stands.
    UNREAD = "unread"


OPINIONS = {
    Answer.PNEUMONIA: VerdictInput(finding=Finding.PNEUMONIA),
    Answer.NO_PNEUMONIA: VerdictInput(finding=Finding.NO_PNEUMONIA),
    Answer.CANNOT_TELL: VerdictInput(finding=Finding.CANNOT_TELL),
    Answer.READ: VerdictInput(),
    Answer.UNREAD: VerdictInput(withdrawn=True),
}


def verdict(
    study_instance_uid: StudyName,
    finding: Annotated[
        Answer,
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
    verdict_input = replace(OPINIONS[finding], comment=comment)
    with (
        opened(settings) as database,
        unit_of_work(database, site_policy(settings)) as unit,
    ):
        uid = find_study(unit.session, study_instance_uid)
        number = submit_verdict(
            unit,
            uid,
            verdict_input,
            TERMINAL,
            expected=None,
            name=getuser(),
        )
        rows = verdicts_of(unit.session, uid)
    if number is None:
        notice(NO_STUDY.format(study_instance_uid), "red")
        raise typer.Exit(1)
    notice(f"Study {study_instance_uid}: {_in_words(rows[-1])}.")
    replaced = rows[-2] if len(rows) > 1 else None
    if replaced and not replaced.withdrawn:
        notice(
            f"It replaces the verdict of {replaced.by or 'somebody'}: "
            f"{finding_text(replaced.finding)}."
        )


def _in_words(row: VerdictRecord) -> str:
    if row.withdrawn:
        return "verdict withdrawn, unread again"
    return f"recorded as {finding_text(row.finding)}"


def verdicts(
    since: Annotated[
        str | None,
        typer.Option(help="Only given since: `2h`, `3d`, or a date in the site's zone."),
    ] = None,
    study: Annotated[str | None, typer.Option(help="Only of this Study Instance UID.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Maximum rows.")] = 100,
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
        from worklist.http.responses import as_csv

        print(as_csv(VerdictRecord, rows).decode(), end="")
    else:
        columns = ("At", "Who", "Finding", "AI then", "Agreement", "Stands", "Comment", "Study")
        print_table(f"Verdicts: {len(rows)}", columns, [_row(row, settings) for row in rows])


def _row(row: VerdictRecord, settings: Settings) -> tuple[str, ...]:
    return (
        local_time(row.at, settings),
        row.by or "–",
        "withdrawn" if row.withdrawn else finding_text(row.finding),
        _ai(row),
        AGREEMENT_WORDS[row.agreement] if row.agreement else "",
        "yes" if row.stands else "",
        row.comment or "",
        row.study_instance_uid,
    )


def _ai(row: VerdictRecord) -> str:
    if row.probability is None:
        return "not scored"
    return f"{readable_probability(row.probability)} {'flagged' if row.flagged else 'not flagged'}"
