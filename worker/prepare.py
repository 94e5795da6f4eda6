"""From an original to the image that the networks take: decode, standardise, keep."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import structlog
from PIL import Image as PillowImage

from db.work import claim_received, give_back, mark_ready, refuse_claimed
from models.exposure import measure_exposure
from models.preprocessing import LEAST_SIDE, PREPROCESSING_VERSION, standardise
from readfirst.domain import Exposure
from readfirst.errors import Refused
from readfirst.queue import Bell
from readfirst.refusals import RefusalCode
from worker.resources import Resources

log = structlog.get_logger()
#: Longest side of a thumbnail, in pixels.
THUMBNAIL_SIZE = 256


def prepare_next(resources: Resources) -> bool:
    """Prepare the most urgent received image. False when none waits."""
    with resources.database.write() as session:
        claimed = claim_received(session, datetime.now(UTC), resources.terms)
    if claimed is None:
        return False
    try:
        exposure = make_ready(claimed.sha256, resources)
    except Refused as refusal:
        with resources.database.write() as session:
            refuse_claimed(session, claimed, refusal, datetime.now(UTC))
        log.info("refused", action="prepare", sha256=claimed.sha256, code=refusal.code.value)
        return True
    except OSError as error:
        # The disk, not the image: try again later.
        with resources.database.write() as session:
            give_back(session, claimed, str(error), datetime.now(UTC), resources.terms)
        log.error("prepare_failed", action="prepare", sha256=claimed.sha256, error=str(error))
        return True
    with resources.database.write() as session:
        mark_ready(session, claimed, PREPROCESSING_VERSION, datetime.now(UTC), exposure)
    resources.ringer.ring(Bell.ASSESS)
    return True


def make_ready(sha256: str, resources: Resources) -> Exposure:
    """Write the model-ready image and the thumbnail of one original. Raises Refused.

    Returns how bright the model-ready image is.
    """
    if not resources.store.has(sha256):
        raise Refused(RefusalCode.ORIGINAL_MISSING)
    film = resources.reader.film(resources.store.path(sha256), LEAST_SIDE)
    thumbnail = PillowImage.fromarray(film)
    thumbnail.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    write_png(thumbnail, resources.prepared.thumbnail(sha256))
    model_ready = standardise(film)
    path = resources.prepared.model_ready(sha256, PREPROCESSING_VERSION)
    write_png(PillowImage.fromarray(model_ready), path)
    return measure_exposure(model_ready)


def read_model_ready(path: Path) -> np.ndarray:
    """The kept image, (rows, columns) uint8. Raises FileNotFoundError when it is gone."""
    with PillowImage.open(path) as image:
        return np.asarray(image)


def write_png(image: PillowImage.Image, path: Path) -> None:
    """All of the file or none of it: written beside its place, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{uuid4().hex}.png")
    image.save(partial)
    partial.replace(path)
