import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laboratory.data.acquisition_shift import ACQUISITIONS, acquired
from laboratory.data.augmentation import STRONG, Augmentation, augment
from models.preprocessing import FilmView, network_input, standardise, window_exposure


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 300), columns=st.integers(1, 300), level=st.integers(0, 255))
def test_a_flat_film_stays_flat_at_any_size(rows: int, columns: int, level: int) -> None:
    square = standardise(np.full((rows, columns), level, dtype=np.uint8))
    assert square.shape == (224, 224)
    assert (square == level).all()


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.uint16), np.zeros((0, 9), np.uint8)],
)
def test_what_is_no_display_image_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no display image"):
        standardise(wrong)


def test_exposure_is_the_same_whatever_the_contrast_was() -> None:
    film = np.tile(np.arange(0, 200, dtype=np.uint8), (50, 1))
    pale = (film // 2 + 60).astype(np.uint8)
    assert np.abs(window_exposure(film) - window_exposure(pale)).max() < 4
    assert window_exposure(film).min() == 0
    assert window_exposure(film).max() == 255


def test_a_black_film_is_no_error() -> None:
    assert (window_exposure(np.zeros((9, 9), np.uint8)) == 0).all()


def test_network_input_has_the_shape_that_networks_take() -> None:
    batch = network_input(np.zeros((3, 224, 224), dtype=np.uint8), 96)
    assert batch.shape == (3, 96, 96, 1)
    assert batch.dtype == np.float32


def test_augmentation_keeps_shape_and_range_and_follows_its_generator() -> None:
    film = np.tile(np.arange(0, 128, dtype=np.uint8), (128, 1))
    changed = [augment(film, STRONG, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert changed[0].shape == film.shape
    assert changed[0].min() >= 0
    assert changed[0].max() <= 255
    np.testing.assert_array_equal(changed[0], changed[1])
    assert np.abs(changed[0] - changed[2]).max() > 10


def test_no_augmentation_is_the_network_input() -> None:
    film = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)
    np.testing.assert_allclose(
        augment(film, Augmentation(), np.random.default_rng(0)), window_exposure(film), atol=1e-3
    )


def test_a_view_is_enlarged_and_mirrored() -> None:
    film = np.random.default_rng(0).integers(0, 256, (1, 64, 64), dtype=np.uint8)
    plain = network_input(film, 64)[0, ..., 0]
    mirrored = network_input(film, 64, FilmView(mirrored=True))[0, ..., 0]
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])
    square = np.zeros((1, 64, 64), np.uint8)
    square[0, 24:40, 24:40] = 255
    near = network_input(square, 64, FilmView(zoom=1.5))[0, ..., 0] > 128
    assert near.sum() == pytest.approx((16 * 1.5) ** 2, rel=0.05)


def test_a_blurred_view_loses_what_is_fine_and_keeps_what_is_coarse() -> None:
    y, x = np.mgrid[:224, :224]
    coarse = (128 + 60 * np.sin(2 * np.pi * x / 112)).astype(np.uint8)
    fine = (coarse + 20 * ((x + y) % 2)).astype(np.uint8)
    sharp, soft = (
        network_input(np.stack([coarse, fine]), 224, FilmView(blur=blur))[..., 0]
        for blur in (0, 0.008)
    )
    middle = np.s_[20:-20, 20:-20]
    assert np.abs(sharp[0] - sharp[1])[middle].max() > 10
    assert np.abs(soft[0] - soft[1])[middle].max() < 6
    assert np.abs(soft[0] - sharp[0])[middle].max() < 6


def test_every_acquisition_changes_films_and_keeps_their_shape() -> None:
    films = np.random.default_rng(0).integers(20, 200, (2, 64, 64), dtype=np.uint8)
    for name in ACQUISITIONS:
        changed = acquired(films, name)
        assert (changed.shape, changed.dtype) == (films.shape, films.dtype)
        assert (name == "as it is") == bool((changed == films).all())


@given(
    image=arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30))),
)
def test_the_exposure_window_is_that_of_numpy_s_percentiles(image: np.ndarray) -> None:
    low, high = np.percentile(image, (1.0, 99.0))
    expected = np.clip((image.astype(np.float32) - low) * (255.0 / max(high - low, 1.0)), 0, 255)
    np.testing.assert_allclose(window_exposure(image), expected, atol=1e-3)
