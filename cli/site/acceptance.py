"""`acceptance`: an ensemble's figures on this site's films, and the signature of a lead."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from cli.common.console import local_time, notice, out, print_json, print_table
from cli.common.database import opened
from cli.common.options import Json
from db.access import accounts
from db.access.audit import Actor
from db.ensembles.acceptance import (
    TABLE,
    VERDICTS,
    AcceptanceRecord,
    StudyLabel,
    acceptance,
    acceptances,
    keep_report,
    make_report,
    match_labels,
    sign,
    verdict_labels,
)
from db.ensembles.versions import required_active
from db.session import Database
from models.acceptance import promise_of
from models.manifest import available_manifest
from readfirst.access.credentials import verify_password
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings
from readfirst.statistics.operating_points import Interval
from worklist.services.acceptance_report import FIGURES, OUTCOMES, as_html

#: The words of a label.
SICK = {"1", "yes", "y", "true", "pneumonia", "positive"}
HEALTHY = {"0", "no", "n", "false", "normal", "no_pneumonia", "negative"}
UID, ACCESSION, LABEL = "study_instance_uid", "accession_number", "label"

LabelsFile = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help=f"CSV with the columns {UID} or {ACCESSION}, and {LABEL} (yes or no: the report says "
        "pneumonia). Default: the verdicts of this site.",
    ),
]
EnsembleName = Annotated[
    str | None, typer.Option("--ensemble", help="Its version. Default: the active one.")
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write the report as HTML there, and as JSON beside it."),
]
Sign = Annotated[int | None, typer.Option("--sign", min=1, help="Sign the report of this number.")]
Show = Annotated[int | None, typer.Option(min=1, help="Write a report that is kept once more.")]
AccountName = Annotated[
    str | None, typer.Option("--account", help="Who signs: a lead. The password is asked for.")
]
Listed = Annotated[bool, typer.Option("--list", help="List the reports that are kept.")]


def accept_ensemble(
    labels: LabelsFile = None,
    ensemble: EnsembleName = None,
    output: Output = None,
    *,
    show: Show = None,
    sign_number: Sign = None,
    account: AccountName = None,
    listed: Listed = False,
    json: Json = False,
) -> None:
    """Measure the ensemble on this site's films, against what it promises; a lead signs it.

    The report holds sums, and nothing of a patient. It proposes a prevalence and a threshold.
    """
    settings = load_settings()
    with opened(settings) as database:
        if listed:
            _list(database, settings, json=json)
            return
        if sign_number is not None:
            record = _sign(database, sign_number, account)
        elif show is not None:
            record = _kept(database, show)
        else:
            record = _make(database, labels, ensemble)
    if output is not None:
        _write(record, output, settings)
    if json:
        print_json(record)
    elif sign_number is None:
        _print(record)
    notice(_state(record))


def _make(database: Database, labels: Path | None, ensemble: str | None) -> AcceptanceRecord:
    settings, now = load_settings(), datetime.now(UTC)
    with database.write() as session:
        version = ensemble or required_active(session).version
        promise = promise_of(available_manifest(version, settings.ensembles_path))
        if labels is None:
            matched, source = verdict_labels(session), VERDICTS
        else:
            matched = match_labels(session, read_labels(labels))
            source = TABLE.format(count=len(matched.by_study))
        report = make_report(session, promise, matched, source, now, settings.prevalence)
        return keep_report(session, report, getuser())


def read_labels(path: Path) -> Iterator[StudyLabel]:
    """Read a table of labels. Raises Misconfigured, which names the line, for what is none."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = set(rows.fieldnames or ())
        if LABEL not in columns or not columns & {UID, ACCESSION}:
            raise Misconfigured(
                f"{path} needs a first line with the columns {UID} or {ACCESSION}, and {LABEL}."
            )
        try:
            for number, row in enumerate(rows, 2):
                yield _label(row, f"{path}, line {number}")
        except (UnicodeDecodeError, csv.Error) as error:
            raise Misconfigured(f"{path} is no CSV in UTF-8.") from error


def _label(row: dict[str, str | None], where: str) -> StudyLabel:
    word = (row.get(LABEL) or "").strip().lower()
    if word not in SICK | HEALTHY:
        raise Misconfigured(f"{where}: the label is neither yes nor no.")
    uid, accession = ((row.get(name) or "").strip() or None for name in (UID, ACCESSION))
    if uid is None and accession is None:
        raise Misconfigured(f"{where}: it names no study.")
    return StudyLabel(uid, accession, word in SICK)


def _kept(database: Database, number: int) -> AcceptanceRecord:
    with database.read() as session:
        record = acceptance(session, number)
    if record is None:
        raise Misconfigured(f"There is no acceptance report {number}.")
    return record


def _sign(database: Database, number: int, account: str | None) -> AcceptanceRecord:
    if account is None:
        raise Misconfigured("Name who signs: --account NAME.")
    _kept(database, number)
    password = typer.prompt(f"Password of {account}", hide_input=True, err=True)
    with database.write() as session:
        if not accounts.role_of(session, account).may(Role.LEAD):
            raise Misconfigured(f"{account} is no lead: a report is signed by a lead.")
        if not verify_password(password, accounts.password_hash(session, account)):
            raise Misconfigured("The password is wrong, or the account is disabled.")
        return sign(session, number, Actor(account, None), datetime.now(UTC))


def _write(record: AcceptanceRecord, output: Path, settings: Settings) -> None:
    output.write_text(as_html(record, settings.zone), encoding="utf-8")
    json_path = output.with_suffix(".json")
    json_path.write_bytes(to_json(record, indent=2))
    notice(f"The report lies in {output}, for programs in {json_path}.")


def _list(database: Database, settings: Settings, *, json: bool) -> None:
    with database.read() as session:
        records = acceptances(session)
    if json:
        print_json(records)
        return
    print_table(
        "Acceptance reports",
        ("Number", "Ensemble", "Threshold", "Studies", "Made", "Signed by", "Signed"),
        [
            (
                str(record.number),
                record.ensemble_version,
                str(record.threshold_version),
                str(record.report.whole.studies),
                local_time(record.made_at, settings),
                record.signed_by or "–",
                local_time(record.signed_at, settings) if record.signed_at else "–",
            )
            for record in records
        ],
    )


def _print(record: AcceptanceRecord) -> None:
    report = record.report
    print_table(
        f"Report {record.number}: ensemble {report.ensemble_version} on {report.whole.studies} "
        f"studies ({report.whole.sick} pneumonia), threshold {report.threshold:.4f}",
        ("Figure", "Here", "Promised", "Outcome"),
        [
            (
                FIGURES[row.figure],
                _figure(row.at_site),
                _figure(row.promised),
                OUTCOMES[row.outcome],
            )
            for row in report.compared
        ],
    )
    out().print(f"Labels: {report.labels}")
    prevalence = report.prevalence
    out().print(
        f"Prevalence: {prevalence.hits} of {prevalence.of}; READFIRST_PREVALENCE="
        f"{prevalence.hits / prevalence.of:.3f} if these studies were not chosen."
    )
    if report.proposed_threshold is not None:
        out().print(f"Proposed threshold: {report.proposed_threshold:.4f}")


def _figure(figure: Interval | None) -> str:
    return "–" if figure is None else f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _state(record: AcceptanceRecord) -> str:
    if record.signed_by is None:
        return (
            f"Report {record.number} is not signed: `readfirst acceptance --sign {record.number} "
            "--account NAME`."
        )
    return f"Report {record.number} is signed by {record.signed_by}."
