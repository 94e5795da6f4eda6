"""The reference of an ensemble: made from its held-out films, kept beside its weights."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.dataset import Film, labels_of
from models.ensemble import NetworkEnsemble
from models.exposure import measure_exposure
from models.manifest import MANIFEST_FILE, Manifest, ReferenceFile, load_manifest
from models.preprocessing import Array8
from models.weights import file_sha256
from readfirst.errors import Misconfigured
from readfirst.watching.reference import (
    REFERENCES,
    Reference,
    Refused,
    binned,
    read_reference,
)

REFERENCE_FILE = "reference.json"


def make_reference(
    ensemble: NetworkEnsemble, films: Sequence[Film], images: Array8, said: str
) -> Reference:
    """How an ensemble scores films that it never saw, and how they look.

    images: the films', model-ready, (n, 224, 224) uint8. said: which films they are. Films that the
    pixel check refuses are counted, and their scores are left out, as in use. Raises ValueError
    unless both classes are there.
    """
    labels, chest = labels_of(films), ensemble.is_chest(images)
    if len(np.unique(labels[chest])) != 2:
        raise ValueError("a reference needs films of both classes")
    scores = np.array([score.probability for score in ensemble.scores(images[chest])])
    exposures = [measure_exposure(image) for image in images[chest]]
    classes = [
        (int((~chest & (labels == one)).sum()), int((labels == one).sum())) for one in (1, 0)
    ]
    return Reference(
        ensemble_version=ensemble.version,
        films=said,
        scores=binned(scores, labels[chest]),
        median_grey=binned(np.array([one.median_grey for one in exposures]), labels[chest]),
        clipped_share=binned(np.array([one.clipped_share for one in exposures]), labels[chest]),
        refused=Refused(*classes),
    )


def write_reference(folder: Path, reference: Reference) -> None:
    """Lay a reference beside an ensemble, and let its manifest name it."""
    path = folder / REFERENCE_FILE
    path.write_bytes(REFERENCES.dump_json(reference, indent=2) + b"\n")
    named = ReferenceFile(file=REFERENCE_FILE, sha256=file_sha256(path))
    manifest = load_manifest(folder).model_copy(update={"reference": named})
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n")


def load_reference(folder: Path, manifest: Manifest) -> Reference | None:
    """The reference of an ensemble; None where its manifest names none.

    Raises Misconfigured if it is missing, garbled or not the one that the manifest names.
    """
    named = manifest.reference
    if named is None:
        return None
    path = folder / named.file
    try:
        if file_sha256(path) != named.sha256:
            raise Misconfigured(f"{path} is not the file that the manifest names.")
        found = read_reference(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error
    if found.ensemble_version != manifest.version:
        raise Misconfigured(f"{path} is of ensemble {found.ensemble_version}.")
    return found
