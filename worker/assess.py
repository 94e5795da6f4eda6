"""The ready images, most urgent first, through the ensemble in one batch."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import structlog

from db.scores import record
from db.tables import Ensemble
from db.work import Claimed, claim_ready, give_back, prepare_again, refuse_claimed
from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.queue import Bell
from worker.prepare import read_model_ready
from worker.resources import Resources

log = structlog.get_logger()


def assess_ready(resources: Resources) -> int:
    """Score up to one batch of ready images. Returns how many it claimed; 0 when none waits.

    Raises Misconfigured when the active ensemble cannot be loaded; then nothing is claimed.
    """
    with resources.database.write() as session:
        active = resources.judgement.active(session, datetime.now(UTC))
    networks = resources.judgement.networks(active.version)
    batch = _claim_batch(resources, active)
    if not batch:
        return 0
    claimed = [held for held, _ in batch]
    begun = time.perf_counter()
    try:
        scores = networks.predict(np.stack([image for _, image in batch]))
    except Exception as error:
        # Whatever a network may raise (out of memory, a driver's fault): each is tried alone next.
        _give_back(resources, claimed, error)
        return len(claimed)
    _record(resources, active, list(zip(claimed, scores, strict=True)))
    log.info(
        "assessed",
        action="assess",
        images=len(claimed),
        ensemble=active.version,
        seconds=round(time.perf_counter() - begun, 3),
    )
    return len(claimed)


def _claim_batch(resources: Resources, active: Ensemble) -> list[tuple[Claimed, np.ndarray]]:
    """Claimed images with their pixels; those whose model-ready image is gone are sent back."""
    settings = resources.settings
    version = active.preprocessing_version
    with resources.database.write() as session:
        now = datetime.now(UTC)
        claims = claim_ready(session, settings.batch_size, now, resources.terms, version)
    batch = []
    for claimed in claims:
        try:
            path = resources.prepared.model_ready(claimed.sha256, version)
            batch.append((claimed, read_model_ready(path)))
        except OSError:
            with resources.database.write() as session:
                prepare_again(session, claimed, datetime.now(UTC))
    return batch


def _record(
    resources: Resources, active: Ensemble, results: Sequence[tuple[Claimed, ImageScore | Refused]]
) -> None:
    scored = [(held, said) for held, said in results if not isinstance(said, Refused)]
    refused = [(held, said) for held, said in results if isinstance(said, Refused)]
    now, max_wait = datetime.now(UTC), resources.settings.max_wait
    with resources.database.write() as session:
        announced = resources.settings.webhook_url is not None
        record(session, scored, active, now, max_wait=max_wait, announced=announced)
        for held, refusal in refused:
            refuse_claimed(session, held, refusal, now)
    if announced:
        resources.ringer.ring(Bell.ANNOUNCE)
    for held, refusal in refused:
        log.info("refused", action="assess", sha256=held.sha256, code=refusal.code.value)


def _give_back(resources: Resources, claimed: Sequence[Claimed], error: Exception) -> None:
    log.error("assess_failed", action="assess", images=len(claimed), exc_info=error)
    with resources.database.write() as session:
        for held in claimed:
            give_back(session, held, repr(error), datetime.now(UTC), resources.terms)
