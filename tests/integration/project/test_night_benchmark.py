"""The benchmark of a night runs from end to end, and counts what it says."""

from dataclasses import replace

import numpy as np

from benchmarks.nights import LIVE_FILMS, as_text, fill, measure
from models.manifest import shipped_version
from tests.support.nights import ByGrey, OneEnsemble
from tests.support.workers import Worker

BATCH, ROUNDS = 4, 2
IMAGES = LIVE_FILMS * BATCH + 3 * ROUNDS * BATCH


def test_a_night_is_timed_against_the_ensemble_alone(worker: Worker) -> None:
    networks = ByGrey([0.1, 0.9], shipped_version())
    site = replace(worker.with_settings(batch_size=BATCH), ensembles=OneEnsemble(networks))
    films = [np.full((224, 224), grey, dtype=np.uint8) for grey in (10, 200)]
    fill(site.use_cases, films, IMAGES)
    timing = measure(site.use_cases, films, IMAGES, BATCH, ROUNDS)
    assert timing.images == 3 * ROUNDS * BATCH
    assert len(timing.megabytes) == ROUNDS
    assert len(timing.waits) == LIVE_FILMS // 2
    assert "share by the clock" in as_text(timing, BATCH)
