"""`models add`, `shadow`, `promote`, `rollback`, `retire` and `golden`: the ensembles of a site."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import err, notice, print_table
from cli.common.database import TERMINAL, opened
from cli.models.ensembles import find_folder
from db.ensembles.changes import EnsembleChange, change_ensemble
from readfirst.samples import sample_files
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.golden import GoldenCheck
    from worker.composition import UseCases

Version = Annotated[str, typer.Argument(help="Version as `models list` shows it.")]


def add(
    source: Annotated[
        Path,
        typer.Argument(exists=True, help="Folder or ZIP archive with manifest.json and weights."),
    ],
) -> None:
    """Bring in an ensemble as a candidate: check its files, and its scores of the sample films.

    It goes into the site's folder, and into the store for the other machines. It scores nothing
    before it is promoted.
    """
    from worker.scoring.ensemble_changes import add_ensemble

    settings = load_settings()
    with site_use_cases(settings) as site, err.status("Checking …"):
        added = add_ensemble(
            source,
            database=site.units.database,
            registry=site.ensembles,
            store=site.store,
            score=lambda folder: sample_scores(folder, settings),
            by=TERMINAL,
            user=getuser(),
            now=datetime.now(UTC),
        )
    if added.checks:
        _print_checks(added.checks)
    else:
        notice(
            f"Ensemble {added.version} brings no golden scores: nobody knows that it does here "
            "what it did where it was made. `readfirst models golden` makes them there.",
            "yellow",
        )
    notice(f"Ensemble {added.version} is a candidate. `readfirst models promote` makes it active.")


def promote(version: Version) -> None:
    """Make an ensemble the active one. The night scores again what it has not seen.

    Studies that it has scored already rank by it at once.
    """
    _make_active(version)


def rollback() -> None:
    """Go back to the ensemble that was active before. Its scores rank the studies at once."""
    _make_active(None)


def retire(version: Version) -> None:
    """Put an ensemble away that is not active. Its scores and its files stay."""
    now, by = datetime.now(UTC), getuser()
    with opened(load_settings()) as database, database.write() as session:
        change_ensemble(session, TERMINAL, EnsembleChange.RETIRE, now, version, by=by)
    notice(f"Ensemble {version} is retired.")


def shadow(
    version: Version,
    stop: Annotated[bool, typer.Option("--stop", help="Score in shadow no more.")] = False,
) -> None:
    """Let a candidate score all films beside the active ensemble, the newest first.

    It does so while no film waits. Nobody is told, and no study ranks by it; what it has scored
    counts when it is promoted. `readfirst models compare --site` shows both side by side.
    """
    change = EnsembleChange.END_SHADOW if stop else EnsembleChange.SHADOW
    now = datetime.now(UTC)
    with site_use_cases(load_settings()) as site, site.units.database.write() as session:
        if not stop:
            site.ensembles.check(session, version, now)
        change_ensemble(session, TERMINAL, change, now, version, by=getuser())
    notice(
        f"Ensemble {version} is a candidate again. Its scores stay."
        if stop
        else f"Ensemble {version} scores in shadow while no film waits."
    )


def golden(
    model: Annotated[str, typer.Argument(help="Ensemble by version or folder.")],
) -> None:
    """Score the sample films, and keep the scores beside the ensemble: where it is added, they are
    computed again and compared.
    """
    from models.golden import write_golden

    folder = find_folder(model)
    with err.status("Scoring the sample films …"):
        write_golden(folder, sample_scores(folder, load_settings()))
    notice(f"The golden scores lie in {folder}.")


def _make_active(version: str | None) -> None:
    """Make an ensemble the active one; None for the one before."""
    from worker.scoring.ensemble_changes import make_active
    from worker.scoring.rescore import rank_by_active

    with site_use_cases(load_settings()) as site:
        with site.units.database.write() as session:
            now = datetime.now(UTC)
            active = make_active(session, site.ensembles, version, TERMINAL, getuser(), now)
        with err.status("Ranking …"):
            ranked = rank_by_active(site.units, active)
    notice(f"Ensemble {active.version} is active. {ranked} studies rank by it now.")


def site_use_cases(settings: Settings) -> AbstractContextManager[UseCases]:
    """Open the use cases of a site, to change its ensembles."""
    from readfirst.tasks.celery_app import CeleryNotifier, make_app
    from worker.composition import open_use_cases

    return open_use_cases(settings, CeleryNotifier(make_app(settings)))


def sample_scores(folder: Path, settings: Settings) -> Mapping[str, float]:
    """Score the sample films by the ensemble in a folder: probability by sha256."""
    from ingest.reader.reader_process import Reader
    from models.ensemble import load_ensemble
    from worker.scoring.ensemble_changes import score_samples

    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        return score_samples(load_ensemble(folder, settings.precision), reader)


def _print_checks(checks: list[GoldenCheck]) -> None:
    from models.digests import file_sha256

    names = {file_sha256(path): path.name for path in sample_files()}
    print_table(
        "Sample films",
        ("Film", "Where it was made", "Here"),
        [
            (names[check.sha256], f"{check.expected:.3f}", f"{check.computed:.3f}")
            for check in checks
        ],
    )
