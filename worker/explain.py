"""Heat maps, one after another, by the worker that has the networks; films come first."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import structlog
from PIL import Image as PillowImage

from db.heat_maps import (
    HeldMap,
    attempt_failed,
    claim_wanted,
    fail,
    film_waits,
    give_way,
    made,
)
from models.ensemble import Ensemble, NetworkEnsemble
from models.explaining.gradcam import ensemble_heat_map
from models.explaining.lime import explain
from models.preprocessing import LEAST_SIDE, Array8
from readfirst.errors import Refused, Unavailable
from readfirst.heat import Area, HeatMethod
from worker.prepare import make_ready, read_model_ready, write_png
from worker.resources import Resources
from worker.slices import GivesWay, resuming

log = structlog.get_logger()
#: Changed films that LIME asks about, as many as `readfirst models explain` does.
LIME_SAMPLES = 300
#: LIME rests after so long, so that a stop need not wait; it goes on where it was.
LIME_SLICE_SECONDS = 5.0
#: The grey of a superpixel that speaks neither for nor against.
NEUTRAL = 128


def explain_next(resources: Resources) -> bool:
    """Make the heat map that is wanted most. False when there is none, or a film waits.

    Raises Misconfigured when the active ensemble cannot be loaded.
    """
    now = datetime.now(UTC)
    with resources.database.write() as session:
        active = resources.judgement.active(session, now)
        held = claim_wanted(session, active.version, now, resources.terms)
    if held is None:
        return False
    begun = time.perf_counter()
    try:
        _make(held, active.preprocessing_version, resources)
    except GivesWay:
        with resources.database.write() as session:
            give_way(session, held)
        return True
    except Refused as refusal:
        with resources.database.write() as session:
            fail(session, held, refusal.reason)
        return True
    except Exception as error:
        # Whatever a network or a disk may raise: it is tried again, and then told.
        log.error("explain_failed", action="explain", sha256=held.sha256, exc_info=error)
        with resources.database.write() as session:
            name, at = type(error).__name__, datetime.now(UTC)
            attempt_failed(session, held, name, at, resources.terms)
        return True
    # Of LIME, those of its last slice.
    seconds = round(time.perf_counter() - begun, 3)
    log.info("explained", action="explain", sha256=held.sha256, method=held.method, seconds=seconds)
    return True


def _make(held: HeldMap, preprocessing_version: str, resources: Resources) -> None:
    image = _model_ready(held.sha256, preprocessing_version, resources)
    heat = _MAKERS[held.method](held, image, resources)
    path = resources.prepared.heat_map(held.sha256, held.ensemble_version, held.method)
    write_png(PillowImage.fromarray(heat), path)
    with resources.database.write() as session:
        made(session, held, _area(held.sha256, resources), datetime.now(UTC))


def _model_ready(sha256: str, preprocessing_version: str, resources: Resources) -> Array8:
    path = resources.prepared.model_ready(sha256, preprocessing_version)
    if not path.is_file():
        make_ready(sha256, resources)
    return read_model_ready(path)


def _area(sha256: str, resources: Resources) -> Area | None:
    """The part of the film that the networks were shown; None without its original."""
    try:
        return resources.reader.area(resources.store.path(sha256), LEAST_SIDE)
    except (Refused, Unavailable):
        return None


def _grad_cam(held: HeldMap, image: Array8, resources: Resources) -> Array8:
    """Heat 0 to 1 as 0 to 255."""
    networks = _networks(resources.judgement.exact_networks(held.ensemble_version))
    heat = ensemble_heat_map(networks.manifest.members, networks.networks, image)
    return np.rint(255 * heat).astype(np.uint8)


def _lime(held: HeldMap, image: Array8, resources: Resources) -> Array8:
    """For pneumonia above `NEUTRAL`, against it below, the strongest superpixel 127 away."""
    networks = _networks(resources.judgement.networks(held.ensemble_version))
    end = time.monotonic() + LIME_SLICE_SECONDS

    def predict(images: Array8) -> npt.NDArray[np.float64]:
        return np.array([score.probability for score in networks.scores(images)])

    def must_give_way() -> bool:
        if time.monotonic() > end:
            return True
        with resources.database.read() as session:
            return film_waits(session)

    asked = resources.asked_by_lime
    asked.about((held.sha256, held.ensemble_version))
    found = explain(resuming(predict, asked, must_give_way), image, samples=LIME_SAMPLES)
    top = float(np.abs(found.weights).max(initial=0)) or 1.0
    each = np.rint(NEUTRAL + 127 * found.weights / top).astype(np.uint8)
    return each[found.segments]


_MAKERS: dict[HeatMethod, Callable[[HeldMap, Array8, Resources], Array8]] = {
    HeatMethod.GRAD_CAM: _grad_cam,
    HeatMethod.LIME: _lime,
}


def _networks(ensemble: Ensemble) -> NetworkEnsemble:
    if not isinstance(ensemble, NetworkEnsemble):
        raise TypeError(f"ensemble {ensemble.version} has no networks to look into")
    return ensemble
