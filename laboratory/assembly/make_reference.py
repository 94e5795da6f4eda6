"""The reference of an ensemble, made from its held-out films and written beside its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from laboratory.data.dataset import LabelledFilm, labels_of
from models.digests import file_sha256
from models.ensemble import NetworkEnsemble
from models.exposure import measure_exposure
from models.manifest import NamedFile, load_manifest, write_manifest
from models.preprocessing import Array8
from readfirst.monitoring.reference import (
    REFERENCES,
    PixelCheckRefusals,
    Reference,
    binned,
)

REFERENCE_FILE = "reference.json"


def make_reference(
    ensemble: NetworkEnsemble, films: Sequence[LabelledFilm], images: Array8, description: str
) -> Reference:
    """Count how an ensemble scores films that it never saw, and how they look.

    images: the films', model-ready, (n, 224, 224) uint8. description: which films they are. Films
    that the pixel check refuses are counted, and their scores are left out, as in use. Raises
    ValueError unless both classes are there.
    """
    labels, chest = labels_of(films), ensemble.is_chest(images)
    if len(np.unique(labels[chest])) != 2:
        raise ValueError("a reference needs films of both classes")
    scores = np.array([score.probability for score in ensemble.scores(images[chest])])
    refused = [
        (int((~chest & (labels == label)).sum()), int((labels == label).sum())) for label in (1, 0)
    ]
    scored = ScoredFilms(scores, labels[chest], images[chest], ensemble.threshold)
    return reference_of(ensemble.version, description, scored, PixelCheckRefusals(*refused))


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFilms:
    """Films that the pixel check lets through. images: model-ready, (n, 224, 224) uint8.

    threshold: at or above which an image is flagged.
    """

    probabilities: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    images: Array8
    threshold: float


def reference_of(
    version: str, description: str, films: ScoredFilms, refused: PixelCheckRefusals
) -> Reference:
    """The reference of films of both classes that were scored already."""
    exposures = [measure_exposure(image) for image in films.images]
    return Reference(
        ensemble_version=version,
        films=description,
        scores=binned(films.probabilities, films.labels, edge_at=films.threshold),
        median_grey=binned(np.array([film.median_grey for film in exposures]), films.labels),
        clipped_share=binned(np.array([film.clipped_share for film in exposures]), films.labels),
        refused=refused,
    )


def write_reference(folder: Path, reference: Reference) -> None:
    """Write a reference beside an ensemble, and name it in the manifest."""
    path = folder / REFERENCE_FILE
    path.write_bytes(REFERENCES.dump_json(reference, indent=2) + b"\n")
    named = NamedFile(file=REFERENCE_FILE, sha256=file_sha256(path))
    manifest = load_manifest(folder).model_copy(update={"reference": named})
    write_manifest(folder, manifest)
