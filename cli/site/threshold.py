"""`models threshold`: the thresholds of an ensemble, listed, chosen, tried and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from cli.common.console import local_time, notice, print_json, print_table
from cli.common.database import TERMINAL, opened
from cli.common.options import Json
from cli.site.threshold_tables import print_report
from db.ensembles.changes import change_threshold, roll_back_threshold
from db.ensembles.threshold_report import (
    Evidence,
    ThresholdChoice,
    threshold_report,
)
from db.ensembles.thresholds import ThresholdRecord, thresholds_of, thresholds_of_others
from db.ensembles.versions import named_or_active
from db.lifecycle.unit_of_work import UnitOfWorkFactory, site_policy
from db.session import Database
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings
from readfirst.statistics.threshold_methods import ThresholdMethod

EnsembleName = Annotated[
    str | None, typer.Argument(help="Version of the ensemble. Default: the active one.")
]
Sensitivity = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="The highest that flags this share of the sick, as 0.95."),
]
Specificity = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="The lowest that leaves this share of the healthy unflagged."),
]
MissCost = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=1000,
        help="The cheapest, where one missed pneumonia weighs as much as so many false alarms.",
    ),
]
Value = Annotated[
    float | None, typer.Option(min=0, max=1, help="This probability, as the ensemble gives it.")
]
Prevalence = Annotated[
    float | None,
    typer.Option(
        min=0.00001,
        max=0.99999,
        help="Share of pneumonia at this site. Default: READFIRST_PREVALENCE.",
    ),
]
On = Annotated[
    Evidence,
    typer.Option("--on", help="Choose on the held-out films, or on this site's verdicts."),
]
RollBack = Annotated[bool, typer.Option("--roll-back", help="Go back to the threshold before.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what it would change, and change nothing.")
]


def threshold(
    ensemble: EnsembleName = None,
    *,
    sensitivity: Sensitivity = None,
    specificity: Specificity = None,
    miss_cost: MissCost = None,
    value: Value = None,
    prevalence: Prevalence = None,
    evidence: On = Evidence.REFERENCE,
    roll_back: RollBack = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """List the thresholds of an ensemble, or let it have another one.

    Says beforehand what would change. Unread studies rank by the new one at once; what is read, and
    every verdict, keeps the one of its time.
    """
    settings = load_settings()
    wanted = {
        ThresholdMethod.SENSITIVITY: sensitivity,
        ThresholdMethod.SPECIFICITY: specificity,
        ThresholdMethod.MISS_COST: miss_cost,
        ThresholdMethod.VALUE: value,
    }
    choices = [
        ThresholdChoice(
            method=method,
            target=target,
            evidence=evidence,
            prevalence=prevalence or settings.prevalence,
        )
        for method, target in wanted.items()
        if target is not None
    ]
    if len(choices) + roll_back > 1:
        raise Misconfigured(
            "Name one of --sensitivity, --specificity, --miss-cost, --value and --roll-back."
        )
    if dry_run and not choices:
        raise Misconfigured("--dry-run wants a threshold to try, as --sensitivity 0.95.")
    with opened(settings) as database:
        version = _version(database, ensemble)
        if choices:
            _choose(database, settings, version, choices[0], dry_run=dry_run, json=json)
        elif roll_back:
            _roll_back(database, settings, version)
        else:
            _list(database, settings, version, json=json)


def _version(database: Database, ensemble: str | None) -> str:
    with database.read() as session:
        return named_or_active(session, ensemble).version


def _choose(
    database: Database,
    settings: Settings,
    version: str,
    choice: ThresholdChoice,
    *,
    dry_run: bool,
    json: bool,
) -> None:
    now = datetime.now(UTC)
    if dry_run:
        with database.read() as session:
            report = threshold_report(session, version, choice, now)
    else:
        with database.write() as session:
            report = threshold_report(session, version, choice, now)
            new = report.as_chosen(getuser())
            row = change_threshold(session, TERMINAL, new, now, by=getuser()).version
    if json:
        print_json(report)
    else:
        print_report(report)
    if dry_run:
        notice("Nothing was changed.")
        return
    notice(f"Threshold {row} of ensemble {version} is active: {report.proposed:.4f}.")
    _rank(database, settings)


def _roll_back(database: Database, settings: Settings, version: str) -> None:
    with database.write() as session:
        row = roll_back_threshold(session, TERMINAL, version, datetime.now(UTC), by=getuser())
        number, value = row.version, row.value
    notice(f"Threshold {number} of ensemble {version} is active again: {value:.4f}.")
    _rank(database, settings)


def _rank(database: Database, settings: Settings) -> None:
    from readfirst.tasks.celery_app import CeleryNotifier, make_app
    from worker.scoring.rescore import rank_by_new_thresholds

    notifier = CeleryNotifier(make_app(settings))
    units = UnitOfWorkFactory(database, site_policy(settings), notifier)
    notice(f"{rank_by_new_thresholds(units)} unread studies rank by it now.")


def _list(database: Database, settings: Settings, version: str, *, json: bool) -> None:
    with database.read() as session:
        rows: Sequence[ThresholdRecord] = thresholds_of(session, version)
        others = thresholds_of_others(session, version)
    if json:
        print_json([*rows, *others])
        return
    print_table(
        f"Thresholds of ensemble {version}",
        ("Version", "Threshold", "State", "Chosen by", "Who", "Made", "Active since"),
        [
            (
                str(row.version),
                f"{row.value:.4f}",
                "active" if row.active else "",
                _method(row),
                row.chosen_by or "–",
                local_time(row.created_at, settings),
                local_time(row.activated_at, settings) if row.activated_at else "–",
            )
            for row in rows
        ],
    )
    for other in others:
        notice(
            f"Films of another population keep the ensemble's own threshold: {other.population} "
            f"{other.value:.4f}."
        )


def _method(row: ThresholdRecord) -> str:
    if row.method is ThresholdMethod.MANIFEST:
        return "the ensemble's own"
    target = row.evidence.get("target")
    name = row.method.value.replace("_", " ")
    if row.method is ThresholdMethod.VALUE or target is None:
        return name
    return f"{name} {target:g} on {row.evidence.get('evidence')}"
