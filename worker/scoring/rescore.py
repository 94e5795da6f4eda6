"""The night's work: what the active ensemble has not seen becomes ready again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import structlog

from db.ensembles.versions import active_ensemble
from db.lifecycle.rescoring import (
    make_ready_again,
    rank_again,
    rank_by_mode,
    rank_by_threshold,
)
from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory
from db.tables import EnsembleVersion
from worker.scoring.ensemble_registry import EnsembleRegistry

log = structlog.get_logger()
#: Rows changed in one transaction, so that live arrivals never wait for a long one.
SLICE = 500


def rescore(
    units: UnitOfWorkFactory,
    ensembles: EnsembleRegistry,
    *,
    received_since: datetime | None = None,
    again: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Queue images for the active ensemble, behind all live ones. Returns how many.

    received_since: only images that arrived then or later. again: also those that it has scored
    already; their scores stay, and a result that differs is noted. progress: told the total so far.
    Studies whose scores are there already, as after a roll-back, are ranked by them at once.
    """
    with units.database.write() as session:
        active = ensembles.active(session, datetime.now(UTC))

    def queue(unit: UnitOfWork, after_id: int) -> list[int]:
        return make_ready_again(
            unit,
            active,
            limit=SLICE,
            received_since=received_since,
            after_id=after_id,
            again=again,
        )

    ranked = rank_by_active(units, active)
    total = 0
    for queued in _slices(units, queue):
        total += queued
        progress(total)
    log.info("rescored", action="rescore", queued=total, ranked=ranked, ensemble=active.version)
    return total


def rank_by_active(units: UnitOfWorkFactory, active: EnsembleVersion) -> int:
    """Rank the studies by the active ensemble that it has scored already. Returns how many."""

    def rank(unit: UnitOfWork, after_id: int) -> list[int]:
        return rank_again(unit, active, limit=SLICE, after_id=after_id)

    return sum(_slices(units, rank))


def rank_by_new_mode(units: UnitOfWorkFactory) -> int:
    """Let unread studies stand where a new mode of the site puts them. Returns how many moved."""
    ranked = sum(_slices(units, lambda unit, _: rank_by_mode(unit, limit=SLICE)))
    if ranked:
        log.info("ranked_by_mode", action="mode", studies=ranked, silent=units.policy.silent)
    return ranked


def rank_by_new_thresholds(units: UnitOfWorkFactory) -> int:
    """Rank unread studies by the thresholds that count now, slice by slice. Returns how many."""
    with units.database.read() as session:
        active = active_ensemble(session)
    if active is None:
        return 0
    ranked = sum(_slices(units, lambda unit, _: rank_by_threshold(unit, active, limit=SLICE)))
    if ranked:
        log.info("ranked_by_threshold", action="threshold", studies=ranked, ensemble=active.version)
    return ranked


def _slices(
    units: UnitOfWorkFactory, change: Callable[[UnitOfWork, int], list[int]]
) -> Iterator[int]:
    """Change rows slice by slice, each in its own transaction, until none is left."""
    last = 0
    while True:
        with units.begin() as unit:
            ids = change(unit, last)
        if not ids:
            return
        last = ids[-1]
        yield len(ids)
