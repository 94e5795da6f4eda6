"""The life of an ensemble at a site: added, checked, and made the active one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import structlog
from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, note
from db.ensembles.changes import EnsembleChange, change_ensemble
from db.ensembles.versions import previous_ensemble
from db.session import Database
from db.tables import EnsembleVersion
from ingest.inbox.store import Store
from ingest.reader.reader_process import Reader
from models.digests import file_sha256
from models.ensemble import NetworkEnsemble
from models.ensemble_files import install
from models.golden import GoldenCheck, compare_scores, load_golden
from models.manifest import load_manifest
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.errors import Misconfigured
from readfirst.samples import sample_files
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.stored_ensembles import keep_ensemble

log = structlog.get_logger()
#: Probabilities of the sample films, by their sha256.
SampleScores = Callable[[Path], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class AddedEnsemble:
    """An ensemble that was brought in. checks: of its golden scores; empty if it brings none."""

    version: str
    folder: Path
    checks: list[GoldenCheck]


def score_samples(ensemble: NetworkEnsemble, reader: Reader) -> dict[str, float]:
    """Score the sample films that come with ReadFirst: probability by the sha256 of the file."""
    paths = sample_files()
    images = [standardise(reader.corrected_film(path, LEAST_SIDE)[0]) for path in paths]
    scores = ensemble.scores(np.stack(images))
    return {file_sha256(path): score.probability for path, score in zip(paths, scores, strict=True)}


def check_golden(folder: Path, score: SampleScores) -> list[GoldenCheck]:
    """Score the sample films, and compare. Raises Misconfigured if a score is another one here."""
    manifest = load_manifest(folder)
    golden = load_golden(folder, manifest)
    if golden is None:
        return []
    checks = compare_scores(golden, score(folder))
    wrong = [check for check in checks if check.differs]
    if not checks or wrong:
        what = "none of its films is here"
        if wrong:
            worst = max(wrong, key=lambda check: abs(check.computed - check.expected))
            what = (
                f"{len(wrong)} of {len(checks)} sample films score otherwise here, one "
                f"{worst.computed:.3f} instead of {worst.expected:.3f}"
            )
        raise Misconfigured(
            f"Ensemble {manifest.version} does not do here what it did where it was made: {what}. "
            "It was not added."
        )
    return checks


def add_ensemble(
    source: Path,
    *,
    database: Database,
    registry: EnsembleRegistry,
    store: Store,
    score: SampleScores,
    by: Actor,
    user: str,
    now: datetime,
) -> AddedEnsemble:
    """Bring in an ensemble from a folder or a ZIP archive as a candidate, if it passes the checks.

    score: of the sample films, by the ensemble in a folder. user: of the machine, for the log.
    Raises Misconfigured, and then nothing is left of it.
    """
    folder = install(source, registry.site_folder)
    version = load_manifest(folder).version
    try:
        checks = check_golden(folder, score)
    except Misconfigured:
        registry.put_away(version)
        raise
    digest = keep_ensemble(store, folder)
    with database.write() as session:
        row = registry.register(session, version, now)
        row.manifest_sha256 = digest
        note(session, by, AuditAction.ENSEMBLE_ADDED, now, ensemble=version, sha256=digest, by=user)
    log.info("ensemble_added", action="add", ensemble=version)
    return AddedEnsemble(version, folder, checks)


def make_active(
    session: Session,
    registry: EnsembleRegistry,
    version: str | None,
    by: Actor,
    user: str,
    now: datetime,
) -> EnsembleVersion:
    """Make an ensemble the active one, or go back to the one before (None), and note it.

    Raises Misconfigured if its files are missing or wrong.
    """
    change = EnsembleChange.ROLL_BACK if version is None else EnsembleChange.PROMOTE
    registry.check(session, version or previous_ensemble(session).version, now)
    row = change_ensemble(session, by, change, now, version, by=user)
    log.info("ensemble_promoted", action="promote", ensemble=row.version)
    return row
