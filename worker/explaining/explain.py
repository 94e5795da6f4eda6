"""Heat maps, one after another, by the worker that has the networks; films come first."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import structlog
from PIL import Image as PillowImage

from db.lifecycle.heat_maps import (
    ClaimedMap,
    attempt_excused,
    attempt_failed,
    claim_wanted,
    fail,
    film_waits,
    give_way,
    made,
)
from db.lifecycle.lease import LeasePolicy
from db.session import Database
from models.ensemble import NetworkEnsemble, ScoringModel
from models.explaining.gradcam import ensemble_heat_map
from models.explaining.lime import explain
from models.preprocessing import LEAST_SIDE, Array8
from readfirst.errors import Misconfigured, Refused, Unavailable
from readfirst.heat_maps import Area, HeatMethod
from worker.explaining.resumable_lime import GivesWay, LimeProgress, resuming
from worker.scoring.ensemble_registry import EnsembleRegistry
from worker.scoring.prepare import Preparation, read_model_input, write_png

log = structlog.get_logger()
#: Changed films that LIME asks about, as many as `readfirst models explain` does.
LIME_SAMPLES = 300
#: LIME rests after so long, so that a stop need not wait; it goes on where it was.
LIME_SLICE_SECONDS = 5.0
#: The grey of a superpixel that speaks neither for nor against.
NEUTRAL = 128


@dataclass(frozen=True, slots=True)
class ExplainServices:
    """The collaborators that make heat maps.

    lease_policy: how long a heat map is held, and how often it is tried. preparation: makes a model
    input that is gone, and knows where everything lies. lime: progress across slices. silent: no
    other system gets what is made.
    """

    database: Database
    lease_policy: LeasePolicy
    ensembles: EnsembleRegistry
    preparation: Preparation
    lime: LimeProgress = field(default_factory=LimeProgress)
    silent: bool = False


def explain_next(services: ExplainServices) -> bool:
    """Make the heat map that is wanted most. False when there is none, or a film waits.

    Raises Misconfigured when the active ensemble cannot be loaded.
    """
    now = datetime.now(UTC)
    with services.database.write() as session:
        active = services.ensembles.active(session, now)
        wanted = claim_wanted(session, active.version, now, services.lease_policy)
    if wanted is None:
        return False
    sha256, begun = wanted.sha256, time.perf_counter()
    try:
        _make(wanted, active.preprocessing_version, services)
    except GivesWay:
        with services.database.write() as session:
            give_way(session, wanted)
    except Refused as refusal:
        with services.database.write() as session:
            fail(session, wanted, refusal.reason)
    except (OSError, MemoryError, Unavailable, Misconfigured) as error:
        # Of the machine: it is tried again, however often.
        log.error("explain_waits", action="explain", sha256=sha256, error=repr(error))
        with services.database.write() as session:
            attempt_excused(session, wanted, datetime.now(UTC), services.lease_policy)
    except Exception as error:
        # Whatever a network may raise: it is tried again, and then told.
        log.error("explain_failed", action="explain", sha256=sha256, exc_info=error)
        with services.database.write() as session:
            name, at = type(error).__name__, datetime.now(UTC)
            attempt_failed(session, wanted, name, at, services.lease_policy)
    else:
        # Of LIME, those of its last slice.
        seconds = round(time.perf_counter() - begun, 3)
        log.info(
            "explained", action="explain", sha256=sha256, method=wanted.method, seconds=seconds
        )
    return True


def _make(wanted: ClaimedMap, preprocessing_version: str, services: ExplainServices) -> None:
    image = _model_input(wanted.sha256, preprocessing_version, services.preparation)
    heat = _MAKERS[wanted.method](wanted, image, services)
    derived_images = services.preparation.derived_images
    path = derived_images.heat_map(wanted.sha256, wanted.ensemble_version, wanted.method)
    write_png(PillowImage.fromarray(heat), path)
    with services.database.write() as session:
        area = _area(wanted.sha256, services.preparation)
        made(session, wanted, area, datetime.now(UTC), silent=services.silent)


def _model_input(sha256: str, preprocessing_version: str, preparation: Preparation) -> Array8:
    path = preparation.derived_images.model_input(sha256, preprocessing_version)
    try:
        return read_model_input(path)
    except FileNotFoundError:
        preparation.derive(sha256)
        return read_model_input(path)


def _area(sha256: str, preparation: Preparation) -> Area | None:
    """The part of the film that the networks were shown; None without its original."""
    try:
        return preparation.reader.area(preparation.store.path(sha256), LEAST_SIDE)
    except (Refused, Unavailable):
        return None


def _grad_cam(wanted: ClaimedMap, image: Array8, services: ExplainServices) -> Array8:
    """Heat 0 to 1 as 0 to 255."""
    networks = _networks(services.ensembles.exact_networks(wanted.ensemble_version))
    heat = ensemble_heat_map(networks.manifest.members, networks.networks, image)
    return np.rint(255 * heat).astype(np.uint8)


def _lime(wanted: ClaimedMap, image: Array8, services: ExplainServices) -> Array8:
    """For pneumonia above `NEUTRAL`, against it below, the strongest superpixel 127 away."""
    networks = _networks(services.ensembles.networks(wanted.ensemble_version))
    end = time.monotonic() + LIME_SLICE_SECONDS

    def predict(images: Array8) -> npt.NDArray[np.float64]:
        return np.array([score.probability for score in networks.scores(images)])

    def must_give_way() -> bool:
        if time.monotonic() > end:
            return True
        with services.database.read() as session:
            return film_waits(session)

    services.lime.begin((wanted.sha256, wanted.ensemble_version))
    explanation = explain(
        resuming(predict, services.lime, must_give_way), image, samples=LIME_SAMPLES
    )
    top = float(np.abs(explanation.weights).max(initial=0)) or 1.0
    greys = np.rint(NEUTRAL + 127 * explanation.weights / top).astype(np.uint8)
    return greys[explanation.segments]


_MAKERS: dict[HeatMethod, Callable[[ClaimedMap, Array8, ExplainServices], Array8]] = {
    HeatMethod.GRAD_CAM: _grad_cam,
    HeatMethod.LIME: _lime,
}


def _networks(ensemble: ScoringModel) -> NetworkEnsemble:
    if not isinstance(ensemble, NetworkEnsemble):
        raise TypeError(f"ensemble {ensemble.version} has no networks to look into")
    return ensemble
