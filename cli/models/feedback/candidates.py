"""Candidates that are made here: a free version, and the way into the site's ensembles."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from getpass import getuser
from itertools import count
from pathlib import Path
from uuid import uuid4

from cli.common.console import err
from cli.common.database import TERMINAL
from cli.models.registry import sample_scores, site_use_cases
from models.manifest import available_ensembles
from readfirst.errors import Misconfigured
from readfirst.settings import Settings


def free_version(before: str, wanted: str | None, letter: str, settings: Settings) -> str:
    """The version of a candidate: the wanted one, if it is free, or the next by the letter.

    before: version of the ensemble that it is made of. Raises Misconfigured.
    """
    known = available_ensembles(settings.ensembles_path)
    if wanted in known:
        raise Misconfigured(f"There is an ensemble {wanted} already; name another --version.")
    numbered = (f"{before}.{letter}{number}" for number in count(1))
    return wanted or next(version for version in numbered if version not in known)


def add_candidate(settings: Settings, write: Callable[[Path], None], now: datetime) -> None:
    """Lay a candidate down beside the others, and add it as any other ensemble.

    write: lays it into a new folder; its golden scores are made after that.
    """
    from models.golden import write_golden
    from worker.scoring.ensemble_changes import add_ensemble

    # Hidden: it is no ensemble yet.
    folder = settings.ensembles_path / f".{uuid4().hex}"
    try:
        with site_use_cases(settings) as site, err.status("Scoring the sample films …"):
            write(folder)
            write_golden(folder, sample_scores(folder, settings))
            with site.units.database.write() as session:
                # The first ensemble that a site knows becomes active; this one must not.
                site.ensembles.active(session, now)
            add_ensemble(
                folder,
                database=site.units.database,
                registry=site.ensembles,
                store=site.store,
                score=lambda path: sample_scores(path, settings),
                by=TERMINAL,
                user=getuser(),
                now=now,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
