"""The ready images, most urgent first, through the ensemble in one batch."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.lifecycle.scoring import BatchTime, record
from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory
from db.lifecycle.work import (
    ClaimedImage,
    attempt_failed,
    attempt_interrupted,
    claim_ready,
    prepare_again,
    refuse_claimed,
)
from db.tables import EnsembleVersion
from db.work_faults import go_on, is_stopped, work_faults
from models.ensemble import ScoringModel
from models.preprocessing import Array8
from readfirst.derived_images import DerivedImages
from readfirst.domain import ImageScore
from readfirst.errors import ReadFirstError, Refused
from readfirst.machine_faults import FaultCode, MachineFault, WorkKind, machine_fault
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.outcomes import write_fault, write_outcome, write_success
from worker.scoring.prepare import read_model_input

log = structlog.get_logger()
#: Of the plain image that networks without a fault always answer on.
PLAIN_GREY = 128


@dataclass(frozen=True, slots=True)
class ScoringServices:
    """The collaborators that score. batch_size: most images that the networks see at once."""

    units: UnitOfWorkFactory
    ensembles: EnsembleRegistry
    derived_images: DerivedImages
    batch_size: int


def score_batch(services: ScoringServices) -> int:
    """Score up to one batch of ready images. Returns how many it claimed.

    0 when none waits, or a fault of the machine stops the work. Raises Misconfigured, or whatever
    a weight file may raise, when the active ensemble cannot be loaded; then nothing is claimed.
    """
    loaded = _loaded(services)
    if loaded is None:
        return 0
    active, networks = loaded
    batch = _claim_batch(services, active)
    if not batch:
        return 0
    begun = time.perf_counter()
    try:
        scores = networks.predict(np.stack([pixels for _, pixels in batch]))
    except Exception as error:
        # Whatever a network may raise (out of memory, a driver's fault).
        _give_back(services, networks, batch, error)
        return len(batch)
    took = BatchTime(time.perf_counter() - begun, len(batch))
    populations = services.ensembles.populations_of(active.version)
    scores = populations.all_stated(scores, [image.film for image, _ in batch])
    images = [image for image, _ in batch]
    _record(services.units, active, list(zip(images, scores, strict=True)), took)
    log.info(
        "assessed",
        action="assess",
        images=len(images),
        ensemble=active.version,
        seconds=round(time.perf_counter() - begun, 3),
    )
    return len(images)


def _loaded(services: ScoringServices) -> tuple[EnsembleVersion, ScoringModel] | None:
    """The active ensemble with its networks; None while a fault stops the work.

    What keeps them from being loaded is such a fault, and raised.
    """
    try:
        with services.units.begin() as unit:
            if is_stopped(unit.session, WorkKind.SCORING, unit.at):
                return None
            active = services.ensembles.active(unit.session, unit.at)
        networks = services.ensembles.networks(active.version)
    except SQLAlchemyError:
        raise
    except Exception as error:
        # Whatever a weight file or a driver may raise.
        text = str(error) if isinstance(error, ReadFirstError) else repr(error)
        fault = machine_fault(error, FaultCode.ENSEMBLE_NOT_LOADED)
        fault = fault or MachineFault(FaultCode.ENSEMBLE_NOT_LOADED, text)
        write_fault(services.units, WorkKind.SCORING, fault, [])
        raise
    return active, networks


def _note_loaded(unit: UnitOfWork) -> None:
    """Networks that are loaded at last are news, even while no film waits for them."""
    not_loaded = FaultCode.ENSEMBLE_NOT_LOADED
    if any(f.work is WorkKind.SCORING and f.code is not_loaded for f in work_faults(unit.session)):
        go_on(unit.session, WorkKind.SCORING)


def _claim_batch(
    services: ScoringServices, active: EnsembleVersion
) -> list[tuple[ClaimedImage, Array8]]:
    """Claimed images with their pixels; those whose model input is gone are sent back."""
    version = active.preprocessing_version
    with services.units.begin() as unit:
        _note_loaded(unit)
        images = claim_ready(unit, services.batch_size, version)
    batch = []
    for image in images:
        try:
            path = services.derived_images.model_input(image.sha256, version)
            batch.append((image, read_model_input(path)))
        except FileNotFoundError:
            write_outcome(services.units, partial(_send_back, image))
        except OSError as error:
            fault = MachineFault(FaultCode.DERIVED_IMAGES_NOT_READ, error.strerror or "")
            write_fault(services.units, WorkKind.SCORING, fault, images)
            return []
    return batch


def _send_back(image: ClaimedImage, unit: UnitOfWork) -> None:
    prepare_again(unit, image)


def _record(
    units: UnitOfWorkFactory,
    active: EnsembleVersion,
    results: Sequence[tuple[ClaimedImage, ImageScore | Refused]],
    took: BatchTime,
) -> None:
    scored = [(image, result) for image, result in results if not isinstance(result, Refused)]
    refused = [(image, result) for image, result in results if isinstance(result, Refused)]

    def write(unit: UnitOfWork) -> None:
        record(unit, scored, active, took)
        for image, refusal in refused:
            refuse_claimed(unit, image, refusal)

    write_success(units, WorkKind.SCORING, write)
    for image, refusal in refused:
        log.info("refused", action="assess", sha256=image.sha256, code=refusal.code.value)


def _give_back(
    services: ScoringServices,
    networks: ScoringModel,
    batch: Sequence[tuple[ClaimedImage, Array8]],
    error: Exception,
) -> None:
    """Let the images of a batch that failed be tried again: each alone, unless the networks fail.

    An image that fails alone, while a plain grey one is answered, is to blame.
    """
    images = [image for image, _ in batch]
    log.error("assess_failed", action="assess", images=len(images), exc_info=error)
    fault = _fault_of(networks, np.full_like(batch[0][1], PLAIN_GREY))
    if fault is not None:
        services.ensembles.forget()
    elif len(images) == 1:
        fault = machine_fault(error, FaultCode.NETWORKS_FAIL)
    if fault is not None:
        write_fault(services.units, WorkKind.SCORING, fault, images)
        return
    failed = attempt_failed if len(images) == 1 else attempt_interrupted

    def write(unit: UnitOfWork) -> None:
        for image in images:
            failed(unit, image, repr(error))

    write_outcome(services.units, write)


def _fault_of(networks: ScoringModel, grey: Array8) -> MachineFault | None:
    """Ask the networks about a plain image: the fault if they fail on that too."""
    try:
        networks.predict(grey[np.newaxis])
    except Exception as error:
        # As above.
        fault = machine_fault(error, FaultCode.NETWORKS_FAIL)
        return fault or MachineFault(FaultCode.NETWORKS_FAIL, repr(error))
    return None
