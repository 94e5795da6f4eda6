"""The same film gets the same score, however it is stored."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from ingest.pixels.display import display_image
from models.ensemble import NetworkEnsemble
from models.preprocessing import standardise
from readfirst.samples import samples
from tests.ingest.builders import a_dataset, dicom_bytes

#: Largest difference of probability in the median, and at worst.
MEDIAN, WORST = 0.02, 0.10
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
)


def score(ensemble: NetworkEnsemble, films: list[np.ndarray]) -> np.ndarray:
    images = np.stack([standardise(film) for film in films])
    return np.array([said.probability for said in ensemble.scores(images)])


def test_full_size_films_score_as_their_small_versions(
    shipped: NetworkEnsemble, training_data: Path
) -> None:
    large = sorted((training_data / "full_size").rglob("*.jpeg"))
    small = [training_data / "train" / path.parent.name / path.name for path in large]
    assert len(large) == 48
    said = [score(shipped, [display_image(path) for path in paths]) for paths in (large, small)]
    differences = np.abs(said[0] - said[1])
    assert np.median(differences) <= MEDIAN
    assert differences.max() <= WORST


@pytest.mark.parametrize("monochrome", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_a_film_scores_alike_as_jpeg_and_as_dicom_of_any_syntax(
    shipped: NetworkEnsemble, tmp_path: Path, syntax: str, monochrome: str
) -> None:
    """Four films at 16 bits, with a window around the values that the JPEG has."""
    chosen = [sample.path for sample in samples() if sample.path.suffix in (".jpg", ".png")][:4]
    films, stored = [display_image(path) for path in chosen], []
    for number, film in enumerate(films):
        wide = film.astype(np.uint16) * 200 + 3000
        if monochrome == "MONOCHROME1":
            wide = 65535 - wide
        low, high = int(wide.min()), int(wide.max())
        black, white = (3000, 3000 + 255 * 200)
        if monochrome == "MONOCHROME1":
            black, white = 65535 - white, 65535 - black
        assert black <= low < high <= white
        dataset = a_dataset(
            wide,
            bits=16,
            PhotometricInterpretation=monochrome,
            WindowCenter=(black + white + 1) / 2,
            WindowWidth=white - black + 1,
        )
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(dicom_bytes(dataset, syntax))
        stored.append(display_image(path))
    jpegs = []
    for film in films:
        held = io.BytesIO()
        Image.fromarray(film).save(held, "JPEG", quality=95)
        jpegs.append(np.asarray(Image.open(held)))
    differences = np.abs(score(shipped, stored) - score(shipped, jpegs))
    assert np.median(differences) <= MEDIAN
    assert differences.max() <= WORST
