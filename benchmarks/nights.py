"""The speed of a night from kept model inputs, as a share of the ensemble's own in the same run.

    python -m benchmarks.nights [--images 5000] [--batch 32] [--rounds 10] [--markdown FILE]

A site on SQLite in a temporary folder, of films that an earlier ensemble has scored. In turns, the
shipped ensemble alone scores batches that lie in memory, and a worker goes on with the night: it
claims rows, reads kept inputs, scores, and writes scores, ranks and events. At the end, films come
in while the night runs.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import psutil
import typer
from PIL import Image as PillowImage
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.ratios import Spread, ratio, spread
from db.ensembles.rescoring_progress import left_to_score
from db.ensembles.versions import EnsembleFacts, active_ensemble, promote, register
from db.images import Identity, NewArrival
from db.lifecycle.arrivals import add_image
from db.lifecycle.scoring import record
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.work import claim_ready, claim_received, mark_ready
from db.nights.running import NewNight, begin_night
from db.tables import EnsembleVersion, Image
from ingest.reader.reader_process import Reader
from models.ensemble import BATCH_SIZES, ScoringModel
from models.preprocessing import LEAST_SIDE, PREPROCESSING_VERSION, Array8, standardise
from readfirst.domain import FileKind, Header, ImageScore, ImageState, uid_from_digest
from readfirst.samples import sample_files
from readfirst.settings import Settings
from readfirst.testing import RecordingNotifier
from worker.composition import UseCases, open_use_cases
from worker.scoring.night import feed_night
from worker.scoring.prepare import write_png
from worker.scoring.score import score_batch

SLICE = 200
TARGET = 0.9
#: Films that come in while the night runs, one after the other.
LIVE_FILMS = 8


@dataclass(frozen=True, slots=True)
class NightTiming:
    """Films a second, the night's share, memory after each round, and waits in batches.

    of_processor: the share by the processor time of the whole process, on which others on the
    machine have less effect.
    """

    images: int
    alone: Spread
    night: Spread
    share: Spread
    of_processor: Spread
    megabytes: list[float]
    waits: list[float]


def main(
    images: Annotated[int, typer.Option(min=64)] = 5000,
    batch: Annotated[int, typer.Option(min=1, max=512)] = 32,
    rounds: Annotated[int, typer.Option(min=1)] = 10,
    markdown: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Measure, and print."""
    with TemporaryDirectory() as home, open_site(Path(home), batch) as site:
        with Reader(60, 512) as reader:
            films = [
                standardise(reader.corrected_film(path, LEAST_SIDE)[0]) for path in sample_files()
            ]
        fill(site, films, images)
        result = measure(site, films, images, batch, rounds)
    text = as_text(result, batch)
    print(text)
    if markdown is not None:
        markdown.write_text(text)


@contextmanager
def open_site(home: Path, batch: int) -> Iterator[UseCases]:
    """A new site, of which nobody is told anything."""
    url = f"sqlite:///{home / 'readfirst.db'}"
    settings = Settings(home=home, database_url=url, batch_size=batch, prior_after_days=0)
    with open_use_cases(settings, RecordingNotifier()) as site:
        yield site


def fill(site: UseCases, films: Sequence[Array8], images: int) -> None:
    """Films that an earlier ensemble has scored, and the shipped one has not."""
    before = datetime.now(UTC) - timedelta(days=1)
    with site.units.database.write() as session:
        active = site.ensembles.active(session, before)
        old = EnsembleFacts("0", 0.5, PREPROCESSING_VERSION)
        register(session, old, before)
        promote(session, "0", before)
    for first in range(0, images, SLICE):
        with site.units.begin(before) as unit:
            for number in range(first, min(first + SLICE, images)):
                add_ready(site, unit, films, number)
        with site.units.begin(before) as unit:
            ensemble = the_active(unit.session)
            claims = claim_ready(unit, SLICE, PREPROCESSING_VERSION)
            record(unit, [(claim, ImageScore(0.1, {"old": 0.1})) for claim in claims], ensemble)
    with site.units.database.write() as session:
        now = datetime.now(UTC)
        promote(session, active.version, now)
        left = left_to_score(session, active)
        new = NewNight(day=now.date(), planned=True, ensemble_version=active.version, left=left)
        begin_night(session, new, now)


def add_ready(site: UseCases, unit: UnitOfWork, films: Sequence[Array8], number: int) -> int:
    """A film that has come in and is prepared, unlike any other by some noise."""
    digest = sha256(f"film {number}".encode()).hexdigest()
    noise = np.random.default_rng(number).integers(0, 4, films[0].shape, dtype=np.uint8)
    pixels = np.clip(films[number % len(films)].astype(int) + noise, 0, 255).astype(np.uint8)
    path = site.preparation.derived_images.model_input(digest, PREPROCESSING_VERSION)
    write_png(PillowImage.fromarray(pixels), path)
    arrival = NewArrival(
        claim_id=digest[:32],
        relative_path=f"{number}.png",
        sha256=digest,
        size=pixels.size,
        arrived_at=unit.at,
    )
    identity = Identity(
        study_instance_uid=uid_from_digest(digest, "study"),
        series_instance_uid=uid_from_digest(digest, "series"),
        sop_instance_uid=uid_from_digest(digest, "instance"),
    )
    image = add_image(unit, arrival, identity, Header(kind=FileKind.PNG, rows=224, columns=224))
    if (claimed := claim_received(unit)) is not None:
        mark_ready(unit, claimed, PREPROCESSING_VERSION)
    return image.id


def the_active(session: Session) -> EnsembleVersion:
    """The active ensemble, which there is."""
    ensemble = active_ensemble(session)
    if ensemble is None:
        raise RuntimeError("no ensemble is active")
    return ensemble


def measure(
    site: UseCases, films: Sequence[Array8], images: int, batch: int, rounds: int
) -> NightTiming:
    """Let both take their turns."""
    with site.units.database.read() as session:
        active = the_active(session)
    networks = site.ensembles.networks(active.version)
    stack = np.stack([films[number % len(films)] for number in range(batch)])
    # The first call of each size is slower.
    for size in (1, *(each for each in BATCH_SIZES if each <= batch), batch):
        networks.predict(stack[:size])
    feed_night(site.night)
    batches = max(1, (images - LIVE_FILMS * batch) // (rounds * batch))
    alone, night, megabytes = list[WorkTimes](), list[WorkTimes](), list[float]()
    for _ in range(rounds):
        alone.append(times_of(lambda: predict(networks, stack, batches)))
        night.append(times_of(lambda: go_on(site, batches)))
        megabytes.append(psutil.Process().memory_info().rss / 1024**2)
    one_batch = spread([times.wall for times in night]).median / batches
    waits = live_waits(site, films, images, one_batch)
    number = batches * batch
    return NightTiming(
        images=rounds * number,
        alone=spread([number / times.wall for times in alone]),
        night=spread([number / times.wall for times in night]),
        share=ratio([times.wall for times in alone], [times.wall for times in night]),
        of_processor=ratio(
            [times.processor for times in alone], [times.processor for times in night]
        ),
        megabytes=megabytes,
        waits=waits,
    )


@dataclass(frozen=True, slots=True)
class WorkTimes:
    """Seconds that work took: by the clock, and of all threads of the process together."""

    wall: float
    processor: float


def times_of(work: Callable[[], object]) -> WorkTimes:
    """The times of work."""
    begun, used = time.perf_counter(), time.process_time()
    work()
    return WorkTimes(time.perf_counter() - begun, time.process_time() - used)


def predict(networks: ScoringModel, stack: Array8, batches: int) -> None:
    """The ensemble alone."""
    for _ in range(batches):
        networks.predict(stack)


def go_on(site: UseCases, batches: int) -> None:
    """The worker's task: so many batches of the night."""
    while batches:
        if score_batch(site.scoring):
            batches -= 1
        elif not feed_night(site.night):
            raise RuntimeError("nothing is left to score")


def live_waits(
    site: UseCases, films: Sequence[Array8], images: int, batch_seconds: float
) -> list[float]:
    """The waits of films that come in while the night runs, in times of one of its batches."""
    stop, waits = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            # Where the night is through, a film that comes in later is scored all the same.
            if not (score_batch(site.scoring) or feed_night(site.night)):
                time.sleep(0.005)

    worker = threading.Thread(target=work)
    worker.start()
    generator = np.random.default_rng(0)
    try:
        for number in range(LIVE_FILMS // 2):
            time.sleep(generator.uniform(0.1, 1.0) * batch_seconds)
            with site.units.begin() as unit:
                image = add_ready(site, unit, films, images + number)
            begun = time.perf_counter()
            until_scored(site, image, worker)
            waits.append((time.perf_counter() - begun) / batch_seconds)
    finally:
        stop.set()
        worker.join()
    return waits


def until_scored(site: UseCases, image_id: int, worker: threading.Thread) -> None:
    """Wait for the score of a film. Raises RuntimeError if the worker has ended."""
    query = select(Image.state).where(Image.id == image_id)
    while True:
        if not worker.is_alive():
            raise RuntimeError("the worker has ended before it scored a film")
        with site.units.database.read() as session:
            if session.scalar(query) is ImageState.SCORED:
                return
        time.sleep(0.005)


def as_text(result: NightTiming, batch: int) -> str:
    """The figures as Markdown."""
    met = "met" if result.share.median >= TARGET else "missed"
    memory = ", ".join(f"{value:,.0f}" for value in result.megabytes)
    waits = ", ".join(f"{wait:.2f}" for wait in result.waits)
    return "\n".join(
        [
            f"{result.images} films in batches of {batch}.",
            "",
            "| | films/s (quartiles) |",
            "| --- | --- |",
            f"| the ensemble alone | {result.alone.text()} |",
            f"| a night from kept inputs | {result.night.text()} |",
            f"| share by the clock | {result.share.text('{:.0%}')}, target {TARGET:.0%}: {met} |",
            f"| share by processor time | {result.of_processor.text('{:.0%}')} |",
            "",
            f"Resident memory after each round, MiB: {memory}.",
            f"Waits of films that came in meanwhile, in times of one batch of the night: {waits}.",
            "",
        ]
    )


if __name__ == "__main__":
    typer.run(main)
