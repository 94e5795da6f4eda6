"""A site on the evening of a promotion: films with kept inputs, and networks of a test's own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from db.ensembles.versions import EnsembleFacts, promote, register
from db.lifecycle.scoring import record
from db.lifecycle.unit_of_work import site_policy, unit_of_work
from db.lifecycle.work import claim_ready, claim_received, mark_ready
from models.preprocessing import PREPROCESSING_VERSION
from readfirst.domain import ImageScore
from readfirst.errors import Refused
from readfirst.testing import FixedEnsemble
from tests.support.studies import an_image
from tests.support.workers import Worker
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.prepare import write_png

#: The hour at which nights begin and end, as settings.
NIGHTLY = {"nightly_at": time(2), "nightly_until": time(6), "time_zone": "UTC"}
BEGIN = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
ARRIVAL = BEGIN - timedelta(days=3)
#: The ensemble that has scored all, and the one that is promoted.
OLD, NEW = "1", "2"


class ByGrey(FixedEnsemble):
    """Says of a film what a table says of its grey level, and keeps what it saw in each batch."""

    def __init__(
        self, probabilities: Sequence[float], version: str = NEW, *, unlike: Sequence[int] = ()
    ) -> None:
        """unlike: the grey levels of films that look unlike the validated ones."""
        super().__init__(probabilities, version)
        self._unlike_greys = set(unlike)
        self.batches: list[list[int]] = []

    def predict(self, images: np.ndarray) -> list[ImageScore | Refused]:
        """The scores of a batch."""
        greys = [int(grey) for grey in images[:, 0, 0]]
        self.batches.append(greys)
        answers = {grey: self._probabilities[grey % len(self._probabilities)] for grey in greys}
        return [
            ImageScore(answers[grey], {"cnn": answers[grey]}, grey in self._unlike_greys)
            for grey in greys
        ]


class OneEnsemble(EnsembleRegistry):
    """Knows the networks of one version, which lies in no folder."""

    def __init__(self, ensemble: FixedEnsemble) -> None:
        super().__init__(Path("none"), "float32")
        self._ensemble = ensemble

    def networks(self, version: str) -> FixedEnsemble:
        """Return the networks."""
        assert version == self._ensemble.version
        return self._ensemble


def add_films(worker: Worker, probabilities: Sequence[float], at: datetime = ARRIVAL) -> list[int]:
    """Films that the old ensemble has scored so; film n is of grey level n, in a study of its own.

    Returns the numbers of the images, the oldest first.
    """
    make_ready(worker, len(probabilities), at)
    with unit_of_work(worker.database, site_policy(worker.settings), at=at) as unit:
        ensemble = register(unit.session, EnsembleFacts(OLD, 0.5, PREPROCESSING_VERSION), at)
        claims = claim_ready(unit, len(probabilities), PREPROCESSING_VERSION)
        scores = [ImageScore(value, {"cnn": value}) for value in probabilities]
        record(unit, list(zip(claims, scores, strict=True)), ensemble)
    return [claim.image_id for claim in claims]


def make_ready(worker: Worker, number: int, at: datetime, first_grey: int = 0) -> list[int]:
    """Films that have come in and are prepared. Returns the numbers of the images."""
    numbers = []
    with unit_of_work(worker.database, site_policy(worker.settings), at=at) as unit:
        for grey in range(first_grey, first_grey + number):
            image = an_image(unit, at)
            claimed = claim_received(unit)
            assert claimed is not None
            mark_ready(unit, claimed, PREPROCESSING_VERSION)
            path = worker.derived_images.model_input(image.sha256, PREPROCESSING_VERSION)
            pixels = np.full((224, 224), grey % 256, dtype=np.uint8)
            write_png(PillowImage.fromarray(pixels), path)
            numbers.append(image.id)
    return numbers


def promote_new(worker: Worker, ensemble: FixedEnsemble, at: datetime = ARRIVAL) -> Worker:
    """The same worker, at whose site another ensemble is active."""
    facts = EnsembleFacts(ensemble.version, ensemble.threshold, PREPROCESSING_VERSION)
    with worker.database.write() as session:
        register(session, facts, at)
        promote(session, ensemble.version, at)
    return replace(worker, ensembles=OneEnsemble(ensemble))
