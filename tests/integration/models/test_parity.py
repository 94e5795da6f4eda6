"""The same film gets the same score, however it is stored."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from ingest.dicom.pixels.borders import without_borders
from ingest.dicom.pixels.display import display_image, film_image
from models.ensemble import NetworkEnsemble
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.samples import sample_files, samples
from tests.support.files import a_dataset, as_it_is, dicom_bytes

#: Largest difference of probability in the median, and at worst.
MEDIAN, WORST = 0.02, 0.10
J2K: dict[str, Any] = {"codecformat": "j2k", "bitspersample": 12}
LOSSLESS = (
    ImplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
)


def score(ensemble: NetworkEnsemble, films: list[np.ndarray]) -> np.ndarray:
    images = np.stack([standardise(film) for film in films])
    return np.array([score.probability for score in ensemble.scores(images)])


def test_full_size_films_score_as_their_small_versions(
    shipped: NetworkEnsemble, training_data: Path
) -> None:
    large = sorted((training_data / "full_size").rglob("*.jpeg"))
    small = [training_data / "train" / path.parent.name / path.name for path in large]
    assert len(large) == 48
    scores = [score(shipped, [display_image(path) for path in paths]) for paths in (large, small)]
    differences = np.abs(scores[0] - scores[1])
    assert np.median(differences) <= MEDIAN
    assert differences.max() <= WORST


@pytest.fixture(scope="module")
def four_films() -> list[np.ndarray]:
    chosen = [sample.path for sample in samples() if sample.path.suffix in (".jpg", ".png")][:4]
    return [display_image(path) for path in chosen]


@pytest.fixture(scope="module")
def as_jpeg(shipped: NetworkEnsemble, four_films: list[np.ndarray]) -> np.ndarray:
    """Probabilities of the films as JPEG, to which every syntax is compared."""
    jpegs = []
    for film in four_films:
        file = io.BytesIO()
        Image.fromarray(film).save(file, "JPEG", quality=95)
        jpegs.append(np.asarray(Image.open(file)))
    return score(shipped, jpegs)


MONOCHROMES = ("MONOCHROME1", "MONOCHROME2")


def displays_of(
    films: list[np.ndarray], folder: Path, syntax: str, monochrome: str
) -> list[np.ndarray]:
    """The films at 16 bits, with a window around the values that the JPEG has, as displayed."""
    stored = []
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
        path = folder / f"{number}.dcm"
        path.write_bytes(dicom_bytes(dataset, syntax))
        stored.append(display_image(path))
    return stored


@pytest.fixture(scope="module")
def uncompressed(
    four_films: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[np.ndarray]]:
    """The films in the plainest syntax, by photometric interpretation."""
    folder = tmp_path_factory.mktemp("uncompressed")
    return {
        monochrome: displays_of(four_films, folder, ExplicitVRLittleEndian, monochrome)
        for monochrome in MONOCHROMES
    }


@pytest.mark.parametrize("monochrome", MONOCHROMES)
def test_a_film_scores_alike_as_jpeg_and_as_dicom(
    shipped: NetworkEnsemble,
    as_jpeg: np.ndarray,
    uncompressed: dict[str, list[np.ndarray]],
    monochrome: str,
) -> None:
    differences = np.abs(score(shipped, uncompressed[monochrome]) - as_jpeg)
    assert np.median(differences) <= MEDIAN
    assert differences.max() <= WORST


@pytest.mark.parametrize("monochrome", MONOCHROMES)
@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
def test_a_film_is_the_same_in_every_lossless_syntax(
    four_films: list[np.ndarray],
    uncompressed: dict[str, list[np.ndarray]],
    tmp_path: Path,
    syntax: str,
    monochrome: str,
) -> None:
    """So its score is the same, too."""
    films = displays_of(four_films[:2], tmp_path, syntax, monochrome)
    for film, plain in zip(films, uncompressed[monochrome][:2], strict=True):
        assert np.array_equal(film, plain)


@pytest.fixture(scope="module")
def two_large_films() -> list[np.ndarray]:
    return [as_large(sample.path) for sample in samples()[:2]]


def as_large(path: Path) -> np.ndarray:
    """A sample film at 12 bits and a detector's size, with a detector's noise."""
    film = Image.fromarray(display_image(path)).resize((2000, 2500), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, 12, (2500, 2000))
    return np.clip(np.asarray(film) * 16.0 + noise, 0, 4095).astype(np.uint16)


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (JPEGBaseline8Bit, lambda film: imagecodecs.jpeg8_encode(film, level=90)),
        (JPEG2000Lossless, lambda film: imagecodecs.jpeg2k_encode(film, reversible=True, **J2K)),
        (HTJ2KLossless, lambda film: imagecodecs.htj2k_encode(film, reversible=True)),
    ],
    ids=["JPEG", "J2K", "HTJ2K"],
)
def test_a_film_decoded_at_a_smaller_scale_scores_as_in_full(
    shipped: NetworkEnsemble,
    two_large_films: list[np.ndarray],
    tmp_path: Path,
    syntax: str,
    encode: Callable[[np.ndarray], Any],
) -> None:
    small, full = [], []
    for number, large in enumerate(two_large_films):
        stored = (large >> 4).astype(np.uint8) if syntax == JPEGBaseline8Bit else large
        bits = 8 if syntax == JPEGBaseline8Bit else 12
        window = {"WindowCenter": 2 ** (bits - 1), "WindowWidth": 2**bits}
        dataset = a_dataset(stored, bits=bits, **window)
        dataset.PixelData = encapsulate([bytes(encode(stored))])
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(as_it_is(dataset, syntax))
        small.append(film_image(path, LEAST_SIDE))
        full.append(display_image(path))
    assert all(film.shape == (625, 500) for film in small)
    differences = np.abs(score(shipped, small) - score(shipped, full))
    assert np.median(differences) <= MEDIAN
    assert differences.max() <= WORST


def test_originals_and_samples_score_alike_as_films_and_as_displays(
    shipped: NetworkEnsemble, training_data: Path
) -> None:
    paths = sorted((training_data / "full_size").rglob("*.jpeg"))[::6]
    paths += [path for path in sample_files() if path.name in ("film-03.jpg", "study-02.dcm")]
    films = [film_image(path, LEAST_SIDE) for path in paths]
    displays = [display_image(path) for path in paths]
    assert sum(film.shape != whole.shape for film, whole in zip(films, displays, strict=True)) > 5
    differences = np.abs(score(shipped, films) - score(shipped, displays))
    assert np.median(differences) <= MEDIAN
    assert differences.max() <= WORST


def test_the_rule_of_borders_leaves_the_training_films_alone(
    shipped: NetworkEnsemble, training_data: Path
) -> None:
    """All 5,216 of them, and the samples; of the few that it cuts all but one score alike."""
    paths = sorted((training_data / "train").rglob("*.jpeg"))
    films = [np.asarray(Image.open(path).convert("L")) for path in paths]
    cut = [film for film in films if without_borders(film).shape != film.shape]
    assert len(cut) <= 5
    assert max(film.size / without_borders(film).size for film in cut) < 1.3
    assert all(
        without_borders(whole).shape == whole.shape for whole in map(display_image, sample_files())
    )
    differences = np.abs(score(shipped, cut) - score(shipped, [without_borders(f) for f in cut]))
    # One of them is truly framed by a collimator: with its frame it is another picture.
    assert np.sort(differences)[-2] <= MEDIAN
