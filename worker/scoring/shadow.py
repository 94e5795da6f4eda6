"""Scoring in shadow, batch by batch, while no film waits for the active ensemble.

Each call is one step: earlier films are queued, the networks are loaded, or one batch is scored. So
a film that comes in waits for one step at most.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.lifecycle.scoring import BatchTime
from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory
from db.shadow.record import record_shadow
from db.shadow.work import (
    ClaimedShadow,
    attempt_excused,
    attempt_failed,
    claim_shadow,
    film_waits,
    give_way,
    next_shadow,
    night_goes_on,
    pause_shadow,
    queue_next,
    refuse_shadow,
)
from db.tables import EnsembleVersion
from models.ensemble import ScoringModel
from models.populations.applying import Populations
from models.preprocessing import Array8
from readfirst.domain import ImageScore
from readfirst.errors import ReadFirstError, Refused
from readfirst.machine_faults import FaultCode, MachineFault, machine_fault
from worker.scoring.outcomes import write_outcome
from worker.scoring.prepare import Preparation, read_model_input
from worker.scoring.score import PLAIN_GREY
from worker.scoring.shadow_networks import ShadowNetworks

log = structlog.get_logger()
Batch = list[tuple[ClaimedShadow, Array8]]


@dataclass(frozen=True, slots=True)
class ShadowServices:
    """The collaborators that score in shadow.

    preparation: knows where model inputs lie, and makes one that is gone. batch_size: most images
    that the networks see at once. populations: of a version.
    """

    units: UnitOfWorkFactory
    networks: ShadowNetworks
    preparation: Preparation
    batch_size: int
    populations: Callable[[str], Populations]


def shadow_next(services: ShadowServices) -> bool:
    """Take one step for an ensemble in shadow. False when none is to be taken now.

    So it is while a film waits, and in a night that is not through.
    """
    with services.units.begin() as unit:
        if film_waits(unit.session, unit.at):
            return False
        is_night = night_goes_on(unit.session)
        if not is_night and queue_next(unit):
            return True
        ensemble = None if is_night else next_shadow(unit, services.networks.version)
    if ensemble is None:
        services.networks.release()
        return False
    networks = services.networks.networks(ensemble.version)
    if networks is None:
        return _load(services, ensemble)
    with services.units.begin() as unit:
        claimed = claim_shadow(unit, ensemble, services.batch_size)
    batch = _batch(services, ensemble, claimed)
    if batch:
        _score(services, ensemble.version, networks, batch)
    return True


def _load(services: ShadowServices, ensemble: EnsembleVersion) -> bool:
    """Load the networks; what keeps them from being loaded stops this ensemble alone."""
    try:
        services.networks.load(ensemble)
    except SQLAlchemyError:
        raise
    except Exception as error:
        # Whatever a weight file or a driver may raise.
        text = str(error) if isinstance(error, ReadFirstError) else repr(error)
        _pause(services, ensemble.version, text, [])
        return False
    return True


def _batch(
    services: ShadowServices, ensemble: EnsembleVersion, claimed: Sequence[ClaimedShadow]
) -> Batch:
    """Claimed images with their pixels. Of those whose model input is gone, one is made anew."""
    batch: Batch = []
    left: list[ClaimedShadow] = []
    version = ensemble.preprocessing_version
    for image in claimed:
        path = services.preparation.derived_images.model_input(image.sha256, version)
        try:
            batch.append((image, read_model_input(path)))
        except FileNotFoundError:
            left.append(image)
        except OSError as error:
            text = f"Prepared images cannot be read ({error.strerror})."
            _pause(services, ensemble.version, text, claimed)
            return []
    if left:
        _make_anew(services, left[0])
        write_outcome(services.units, lambda unit: give_way(unit, left[1:]))
    return batch


def _make_anew(services: ShadowServices, image: ClaimedShadow) -> None:
    """Make a model input that is gone; the image itself waits for the next batch."""
    try:
        services.preparation.derive(image.sha256)
    except Refused as refusal:
        reason = refusal.reason
        write_outcome(services.units, lambda unit: refuse_shadow(unit, image, reason))
    except Exception as error:
        # Whatever it is, the image must not be tried for ever.
        log.error("shadow_input_failed", action="shadow", sha256=image.sha256, exc_info=error)
        is_fault = machine_fault(error, FaultCode.DERIVED_IMAGES_NOT_WRITTEN) is not None
        failed = partial(attempt_failed, error=repr(error))
        outcome = attempt_excused if is_fault else failed
        write_outcome(services.units, lambda unit: outcome(unit, [image]))
    else:
        write_outcome(services.units, lambda unit: give_way(unit, [image]))


def _score(services: ShadowServices, version: str, networks: ScoringModel, batch: Batch) -> None:
    begun = time.perf_counter()
    try:
        results = networks.predict(np.stack([pixels for _, pixels in batch]))
    except Exception as error:
        # Whatever a network may raise (out of memory, a driver's fault).
        _give_back(services, version, networks, batch, error)
        return
    took = BatchTime(time.perf_counter() - begun, len(batch))
    populations = services.populations(version)
    results = populations.all_stated(results, [image.film for image, _ in batch])
    pairs = [(image, result) for (image, _), result in zip(batch, results, strict=True)]

    def write(unit: UnitOfWork) -> None:
        scored = [(image, each) for image, each in pairs if isinstance(each, ImageScore)]
        record_shadow(unit, version, scored, took)
        for image, each in pairs:
            if isinstance(each, Refused):
                refuse_shadow(unit, image, each.reason)

    write_outcome(services.units, write)
    seconds = round(took.seconds, 3)
    log.info(
        "shadow_assessed", action="shadow", images=len(batch), ensemble=version, seconds=seconds
    )


def _give_back(
    services: ShadowServices, version: str, networks: ScoringModel, batch: Batch, error: Exception
) -> None:
    """Let the images of a batch that failed be tried again, each alone unless the networks fail."""
    images = [image for image, _ in batch]
    log.error("shadow_failed", action="shadow", ensemble=version, exc_info=error)
    try:
        networks.predict(np.full_like(batch[0][1], PLAIN_GREY)[np.newaxis])
    except Exception as again:
        # As above. They are loaded anew next time.
        services.networks.release()
        fault = machine_fault(again, FaultCode.NETWORKS_FAIL)
        text = str(fault or MachineFault(FaultCode.NETWORKS_FAIL, repr(again)))
        _pause(services, version, text, images)
        return
    write_outcome(services.units, lambda unit: attempt_failed(unit, images, repr(error)))


def _pause(
    services: ShadowServices, version: str, text: str, images: Sequence[ClaimedShadow]
) -> None:
    """Let an ensemble rest for a while; it counts against none of its images."""
    log.error("shadow_paused", action="shadow", ensemble=version, error=text)

    def write(unit: UnitOfWork) -> None:
        pause_shadow(unit, version, text)
        attempt_excused(unit, images)

    write_outcome(services.units, write)
