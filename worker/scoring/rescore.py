"""Scoring again as somebody wants it now, without a window: all of it becomes ready at once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo

import structlog

from db.ensembles.rescoring_progress import left_to_score
from db.ensembles.versions import active_ensemble
from db.lifecycle.rescoring import (
    make_ready_again,
    rank_again,
    rank_by_mode,
    rank_by_threshold,
)
from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory
from db.nights.running import (
    NewNight,
    begin_night,
    close_night,
    note_queued,
    running_night,
    unbind,
)
from db.tables import EnsembleVersion
from readfirst.nights.reasons import NightEnd
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
    zone: tzinfo = UTC,
) -> int:
    """Queue images for the active ensemble, behind all live ones. Returns how many.

    received_since: only images that arrived then or later. again: also those that it has scored
    already; their scores stay, and a result that differs is noted. progress: told the total so far.
    zone: of the day that its row names. Studies whose scores are there already, as after a
    roll-back, are ranked by them at once.
    """
    every = received_since is None and not again
    with units.database.write() as session:
        active = ensembles.active(session, datetime.now(UTC))
    _note_wish(units, active, zone, every=every)

    def queue(unit: UnitOfWork, last_id: int | None) -> list[int]:
        ids = make_ready_again(
            unit,
            active,
            limit=SLICE,
            received_since=received_since,
            before_id=last_id,
            again=again,
        )
        night = running_night(unit.session, lock=True)
        if ids and night is not None:
            note_queued(night, ids, unit.at)
        return ids

    ranked = rank_by_active(units, active)
    total = 0
    for queued in _slices(units, queue):
        total += queued
        progress(total)
    log.info("rescored", action="rescore", queued=total, ranked=ranked, ensemble=active.version)
    return total


def _note_wish(
    units: UnitOfWorkFactory, active: EnsembleVersion, zone: tzinfo, *, every: bool
) -> None:
    """Count what comes of it in the night that runs, or in one of its own.

    every: all that is left is wanted, so a night that runs loses its bounds.
    """
    with units.database.read() as session:
        left = left_to_score(session, active)
    with units.database.write() as session:
        night, at = running_night(session, lock=True), datetime.now(UTC)
        if night is None:
            day = at.astimezone(zone).date()
            new = NewNight(day=day, planned=False, ensemble_version=active.version, left=left)
            night = begin_night(session, new, at)
            if not every:
                # It gives no more than what is wanted.
                close_night(night, NightEnd.FINISHED)
        elif every:
            unbind(night)


def rank_by_active(units: UnitOfWorkFactory, active: EnsembleVersion) -> int:
    """Rank the studies by the active ensemble that it has scored already. Returns how many."""

    def rank(unit: UnitOfWork, last_id: int | None) -> list[int]:
        return rank_again(unit, active, limit=SLICE, after_id=last_id or 0)

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
    units: UnitOfWorkFactory, change: Callable[[UnitOfWork, int | None], list[int]]
) -> Iterator[int]:
    """Change rows slice by slice, each in its own transaction, until none is left."""
    last = None
    while True:
        with units.begin() as unit:
            ids = change(unit, last)
        if not ids:
            return
        last = ids[-1]
        yield len(ids)
