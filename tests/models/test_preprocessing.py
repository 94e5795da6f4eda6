import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.augmentation import Augmentation, augment
from models.preprocessing import network_input, standardise, window_exposure


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
    changed = [augment(film, Augmentation(), np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert changed[0].shape == film.shape
    assert changed[0].min() >= 0
    assert changed[0].max() <= 255
    np.testing.assert_array_equal(changed[0], changed[1])
    assert np.abs(changed[0] - changed[2]).max() > 10


def test_no_augmentation_is_the_network_input() -> None:
    still = Augmentation(
        rotation=0, zoom=0, shift=0, stretch=0, flip=False, gamma=1, contrast=0, brightness=0,
        blur=0, noise=0,
    )  # fmt: skip
    film = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)
    np.testing.assert_allclose(
        augment(film, still, np.random.default_rng(0)), window_exposure(film), atol=1e-3
    )
