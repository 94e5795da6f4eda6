"""From an original to the images that are derived from it: decode, standardise, keep."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from PIL import Image as PillowImage

from db.lifecycle.unit_of_work import UnitOfWorkFactory
from db.lifecycle.work import (
    ClaimedImage,
    attempt_failed,
    attempt_interrupted,
    claim_received,
    mark_ready,
    refuse_claimed,
)
from db.work_faults import is_stopped
from ingest.inbox.store import Store
from ingest.inbox.stored_originals import has_original
from ingest.reader.reader_process import Reader
from models.exposure import measure_exposure
from models.preprocessing import (
    LEAST_SIDE,
    MODEL_READY_SIZE,
    PREPROCESSING_VERSION,
    Array8,
    standardise,
)
from readfirst.derived_images import DerivedImages
from readfirst.domain import Exposure
from readfirst.errors import ReadingInterrupted, Refused, Unavailable
from readfirst.files.whole_files import written_whole
from readfirst.machine_faults import FaultCode, MachineFault, WorkKind, machine_fault
from readfirst.refusals import RefusalCode
from readfirst.studies.marks import Mark, correction_marks
from worker.scoring.outcomes import write_fault, write_outcome, write_success

log = structlog.get_logger()
#: Longest side of a thumbnail, in pixels.
THUMBNAIL_SIZE = 256


@dataclass(frozen=True, slots=True)
class Derived:
    """The facts found while an original was decoded.

    exposure: how bright the model input is. marks: of a header that was corrected.
    """

    exposure: Exposure
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes model inputs and thumbnails from originals."""

    store: Store
    reader: Reader
    derived_images: DerivedImages

    def derive(self, sha256: str) -> Derived:
        """Write the model input and the thumbnail of one original.

        Raises Refused for what is wrong with the film, ReadingInterrupted if the process that reads
        it was stopped, and MachineFault.
        """
        film, corrections = self._film(sha256)
        thumbnail = PillowImage.fromarray(film)
        thumbnail.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        model_input = standardise(film)
        try:
            write_png(thumbnail, self.derived_images.thumbnail(sha256))
            path = self.derived_images.model_input(sha256, PREPROCESSING_VERSION)
            write_png(PillowImage.fromarray(model_input), path)
        except OSError as error:
            # Whatever it is: what is written lies in memory already, so no film is to blame.
            text = error.strerror or type(error).__name__
            raise MachineFault(FaultCode.DERIVED_IMAGES_NOT_WRITTEN, text) from error
        return Derived(measure_exposure(model_input), correction_marks(corrections))

    def _film(self, sha256: str) -> tuple[Array8, tuple[str, ...]]:
        if not has_original(self.store, sha256):
            raise Refused(RefusalCode.ORIGINAL_MISSING)
        try:
            return self.reader.corrected_film(self.store.path(sha256), LEAST_SIDE)
        except (MachineFault, ReadingInterrupted):
            raise
        except Unavailable as error:
            raise MachineFault(FaultCode.ORIGINALS_UNAVAILABLE, str(error)) from error
        finally:
            self.reader.leave()


def prepare_next(units: UnitOfWorkFactory, preparation: Preparation) -> bool:
    """Prepare the most urgent received image. False when none waits, or a fault stops the work."""
    with units.begin() as unit:
        if is_stopped(unit.session, WorkKind.PREPARING, unit.at):
            return False
        image = claim_received(unit)
    if image is None:
        return False
    try:
        derived = preparation.derive(image.sha256)
    except Refused as refusal:
        _refuse(units, image, refusal)
    except ReadingInterrupted as error:
        log.warning("prepare_interrupted", action="prepare", sha256=image.sha256, error=str(error))
        text, code = str(error), error.code
        write_outcome(units, lambda unit: attempt_interrupted(unit, image, text, code))
    except Exception as error:
        # Whatever else it is, the film must not be tried for ever.
        return _fail(units, image, error)
    else:
        write_success(
            units,
            WorkKind.PREPARING,
            lambda unit: mark_ready(
                unit, image, PREPROCESSING_VERSION, derived.exposure, derived.marks
            ),
        )
    return True


def _refuse(units: UnitOfWorkFactory, image: ClaimedImage, refusal: Refused) -> None:
    write_success(units, WorkKind.PREPARING, lambda unit: refuse_claimed(unit, image, refusal))
    log.info("refused", action="prepare", sha256=image.sha256, code=refusal.code.value)


def _fail(units: UnitOfWorkFactory, image: ClaimedImage, error: Exception) -> bool:
    """Write down a failed attempt. False if others would fail alike."""
    fault = machine_fault(error, FaultCode.DERIVED_IMAGES_NOT_WRITTEN)
    if fault is not None:
        write_fault(units, WorkKind.PREPARING, fault, [image])
        return False
    log.error("prepare_failed", action="prepare", sha256=image.sha256, exc_info=error)
    write_outcome(units, lambda unit: attempt_failed(unit, image, repr(error)))
    return True


def read_model_input(path: Path) -> np.ndarray:
    """The kept image, (224, 224) uint8.

    Raises FileNotFoundError when it is gone or damaged, and OSError when it cannot be read.
    """
    try:
        with PillowImage.open(path) as image:
            pixels = np.asarray(image)
    except NotADirectoryError as error:
        raise FileNotFoundError(path) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # Pillow says so in many ways of a file that was cut off, as when a machine loses power.
        raise FileNotFoundError(f"{path} is damaged") from error
    if pixels.shape != (MODEL_READY_SIZE, MODEL_READY_SIZE) or pixels.dtype != np.uint8:
        raise FileNotFoundError(f"{path} is damaged")
    return pixels


def write_png(image: PillowImage.Image, path: Path) -> None:
    """Write all of the file or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        image.save(partial)
