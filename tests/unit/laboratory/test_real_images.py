"""Real images from elsewhere, for the pixel check: which part each is in, and what is measured."""

from pathlib import Path

import numpy as np
import pytest

from laboratory.data.dataset import Subset
from laboratory.data.elsewhere import FilmFromElsewhere, Half, read_elsewhere
from laboratory.negative_images import KINDS, NEVER_TRAINED
from laboratory.negative_images.changed_films import CHANGES
from laboratory.pixel_check.measurement import real_caught, refused_by_source, refused_share
from laboratory.pixel_check.real_images import (
    COPIES,
    SHOWN,
    RealImages,
    is_chest,
    real_images,
    repeated,
    subset_of,
)
from laboratory.pixel_check.training_images import training_images, tuning_images
from tests.unit.laboratory.test_elsewhere import write_table
from tests.unit.laboratory.test_pixel_check import invented_film

LABELS = ("normal", "pneumonia", "hand", "not_radiograph_HeadCT")


@pytest.fixture
def films(tmp_path: Path) -> list[FilmFromElsewhere]:
    rows = [
        {
            "file": f"{'ab'[number % 2]}/{number}.png",
            "label": LABELS[number % 4],
            "patient": f"p{number // 3}",
        }
        for number in range(240)
    ]
    write_table(tmp_path, rows)
    return read_elsewhere(tmp_path)


def test_no_patient_is_in_two_parts_and_those_to_measure_are_never_fitted(
    films: list[FilmFromElsewhere],
) -> None:
    patients = {
        part: {film.patient for film in films if subset_of(film) is part} for part in Subset
    }
    assert sum(map(len, patients.values())) == len({film.patient for film in films})
    assert all(patients.values())
    assert {film.patient for film in films if film.half is Half.MEASURE} == patients[
        Subset.HELD_OUT
    ]
    assert len(patients[Subset.TUNE]) < len(patients[Subset.TRAIN])


def test_hands_and_slices_are_told_from_chest_films_by_their_labels(
    films: list[FilmFromElsewhere],
) -> None:
    assert {film.label for film in films if is_chest(film)} == {"normal", "pneumonia"}
    real = real_images(films, Subset.TRAIN)
    assert set(real.chests) == set(real.patients) == {"a", "b"}
    assert set(real.others) == {"hand", "not_radiograph_HeadCT"}
    assert all(len(real.chests[name]) == len(real.patients[name]) for name in real.chests)
    assert len(real.all_chests) == sum(map(len, real.chests.values()))
    assert RealImages().all_chests.shape == (0, 224, 224)


@pytest.mark.parametrize(("count", "expected"), [(5, 5 * COPIES), (400, SHOWN), (1500, SHOWN)])
def test_a_source_of_many_films_counts_as_much_as_one_of_a_few(count: int, expected: int) -> None:
    images: np.ndarray = np.arange(count, dtype=np.uint32).reshape(count, 1, 1)
    chosen = repeated(images, np.random.default_rng(0)).ravel()
    assert len(chosen) == expected
    # Each that is taken is repeated equally often, and both halves have the same ones.
    assert len(set(np.unique(chosen, return_counts=True)[1])) == 1
    assert set(chosen[: expected // 2]) == set(chosen[expected // 2 :])


def test_the_check_learns_from_real_images_besides() -> None:
    films = np.stack([invented_film(seed) for seed in range(4)])
    chests, others = films[:2], films[2:]
    real = RealImages({"a": chests}, {"a": np.array(["p", "q"])}, {"hand": others})
    without, data = (training_images(films, 1, 0, each) for each in (None, real))
    more = COPIES * len(chests)
    assert np.count_nonzero(data.labels == 1) == np.count_nonzero(without.labels == 1) + more
    trained = len(KINDS) - len(NEVER_TRAINED)
    more = COPIES * len(others) + len(CHANGES) * len(chests) + trained
    assert np.count_nonzero(data.labels == 0) == np.count_nonzero(without.labels == 0) + more
    nothing = training_images(films, 1, 0, RealImages())
    assert np.array_equal(nothing.images, without.images)


def test_real_images_are_tuned_on_as_they_are() -> None:
    films = np.stack([invented_film(seed) for seed in range(3)])
    real = RealImages({"a": films[:2]}, {"a": np.array(["p", "q"])}, {"hand": films[2:]})
    without, data = (tuning_images(films, 1, 0, each) for each in (None, real))
    assert len(data.images) == len(without.images) + 3
    assert np.count_nonzero(data.labels == 1) == len(films) + 2


def test_what_is_refused_is_measured_by_source_and_by_label() -> None:
    bright, dark = (np.full((2, 224, 224), grey, np.uint8) for grey in (200, 10))
    real = RealImages(
        {"a": bright, "b": np.concatenate([bright, dark])},
        {"a": np.array(["p", "q"]), "b": np.array(["r", "r", "s", "t"])},
        {"hand": dark, "not_radiograph_HeadCT": np.concatenate([dark, bright])},
    )

    def brightness(images: np.ndarray) -> np.ndarray:
        means: np.ndarray = images.mean(axis=(1, 2)) / 255
        return means

    sources = refused_by_source(brightness, 0.5, real)
    assert {name: estimate.value for name, estimate in sources.items()} == {"a": 0.0, "b": 0.5}
    assert real_caught(brightness, 0.5, real) == {"hand (real)": 1.0, "HeadCT (real)": 0.5}


def test_films_of_the_same_patient_make_no_narrower_interval() -> None:
    refused = np.zeros(100, dtype=bool)
    by_film = refused_share(refused)
    by_patient = refused_share(refused, np.repeat(np.arange(20), 5))
    assert by_film.value == by_patient.value == by_patient.low == 0
    assert by_patient.high > 2 * by_film.high
    some = refused_share(np.arange(100) < 3, np.repeat(np.arange(20), 5))
    assert some.low <= some.value <= some.high
