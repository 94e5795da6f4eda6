"""Heat maps of samples by the shipped ensemble, as the worker makes them."""

import time
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from ingest.dicom.pixels.display import film_image
from models.ensemble import load_ensemble
from models.explaining.gradcam import ensemble_heat_map
from models.explaining.lime import explain
from models.manifest import SHIPPED, find_ensembles, shipped_version
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.samples import FOLDER
from worker.explaining.explain import LIME_SAMPLES
from worker.explaining.resumable_lime import LimeProgress, resuming


@dataclass(frozen=True, slots=True)
class Explained:
    """Seconds of one heat map. first: with loading and compiling."""

    method: str
    first: float
    next: float


def explain_samples() -> list[Explained]:
    """Grad-CAM of all samples, LIME of two."""
    folder = find_ensembles([SHIPPED])[shipped_version()]
    films = [standardise(film_image(path, LEAST_SIDE)) for path in sorted(FOLDER.glob("*.dcm"))]
    begun = time.perf_counter()
    exact = load_ensemble(folder, "float32")
    ends = []
    for film in films:
        ensemble_heat_map(exact.manifest.members, exact.networks, film)
        ends.append(time.perf_counter())
    each = [end - start for start, end in pairwise(ends)]
    grad_cam = Explained("Grad-CAM, float32", ends[0] - begun, median(each))
    scoring = load_ensemble(folder)

    def predict(images: np.ndarray) -> np.ndarray:
        return np.array([score.probability for score in scoring.scores(images)])

    took = []
    for film in films[:2]:
        begun = time.perf_counter()
        explain(resuming(predict, LimeProgress(), lambda: False), film, samples=LIME_SAMPLES)
        took.append(time.perf_counter() - begun)
    return [grad_cam, Explained(f"LIME, {LIME_SAMPLES} samples", took[0], took[1])]
