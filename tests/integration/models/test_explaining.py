"""Heat maps and superpixels lie on the evidence and follow it; overlays keep the film's size."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ingest.dicom.pixels.display import display_image
from laboratory.networks import build
from models.combining import logit, sigmoid
from models.ensemble import NetworkEnsemble
from models.explaining.gradcam import (
    ensemble_heat_map,
    feature_layer,
    gradient,
    heat_map,
    in_place,
)
from models.explaining.lime import BATCH, Explanation, explain, local_mean, superpixels
from models.explaining.overlay import AGAINST, COLOURS, FOR, coloured, outlined, painted
from models.manifest import EnsembleMember
from models.preprocessing import FilmView, standardise
from readfirst.samples import FOLDER
from tests.support.networks import finder

if TYPE_CHECKING:
    import keras

SIZE = 64
Square = tuple[slice, slice]
UPPER_LEFT = np.s_[8:24, 8:24]
LOWER_RIGHT = np.s_[40:56, 36:52]


def film_with(*squares: tuple[Square, int], ground: int = 60, size: int = SIZE) -> np.ndarray:
    film = np.full((size, size), ground, dtype=np.uint8)
    for square, grey in squares:
        film[square] = grey
    return film


def as_input(film: np.ndarray) -> np.ndarray:
    return film[..., np.newaxis].astype(np.float32)


def hottest(heat: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    return int(row), int(column)


def lies_in(point: tuple[int, int], square: Square) -> bool:
    return all(side.start <= at < side.stop for at, side in zip(point, square, strict=True))


def member(weight: float, size: int) -> EnsembleMember:
    return EnsembleMember(
        name="finder",
        network="",
        file="none.safetensors",
        sha256="",
        input_size=size,
        parameters=0,
        weight=weight,
    )


@pytest.mark.parametrize("ending", ["pooled", "flat"])
def test_the_heat_lies_on_the_evidence_and_follows_it(ending: str) -> None:
    network = finder(SIZE, ending)
    there = heat_map(network, as_input(film_with((UPPER_LEFT, 250))))
    shifted = heat_map(network, as_input(film_with((LOWER_RIGHT, 250))))
    assert there.shape == (SIZE, SIZE)
    assert there.dtype == np.float32
    assert lies_in(hottest(there), UPPER_LEFT)
    assert lies_in(hottest(shifted), LOWER_RIGHT)
    assert there[UPPER_LEFT].sum() == pytest.approx(there.sum(), rel=0.1)
    assert there[LOWER_RIGHT].max() == 0


@pytest.mark.parametrize("ending", ["pooled", "flat"])
def test_the_heat_moves_on_when_its_evidence_is_covered(ending: str) -> None:
    network = finder(SIZE, ending)
    both = film_with((UPPER_LEFT, 250), (LOWER_RIGHT, 220))
    assert lies_in(hottest(heat_map(network, as_input(both))), UPPER_LEFT)
    both[UPPER_LEFT] = 60
    assert lies_in(hottest(heat_map(network, as_input(both))), LOWER_RIGHT)
    both[LOWER_RIGHT] = 60
    assert heat_map(network, as_input(both)).max() == 0


def all_evidence_for_pneumonia(network: "keras.Model") -> np.ndarray:
    """Make the weights of the last layer positive, so that no map is empty; return them."""
    probability = network.get_layer("probability")
    weights, bias = probability.get_weights()
    positive: np.ndarray = np.abs(weights)
    probability.set_weights([positive, bias])
    return positive


def test_under_global_average_pooling_it_is_the_class_activation_map() -> None:
    from keras import Model

    network = build("plain-cnn", 32)
    image = as_input(np.random.default_rng(3).integers(0, 256, (32, 32), dtype=np.uint8))
    inner = Model(network.inputs[0], network.get_layer("block4_relu2").output)
    features = inner.predict_on_batch(image[np.newaxis])[0]
    dense = all_evidence_for_pneumonia(network)
    expected = np.maximum(features @ dense[:, 0], 0)
    assert expected.max() > 0
    np.testing.assert_allclose(heat_map(network, image) * 16, expected, rtol=1e-3, atol=1e-5)


def test_with_flatten_each_channel_weighs_by_its_mean_gradient() -> None:
    from keras import Model

    network = build("mount-sinai-1", 24)
    image = as_input(np.random.default_rng(4).integers(0, 256, (24, 24), dtype=np.uint8))
    inner = Model(network.inputs[0], feature_layer(network).output)
    features = inner.predict_on_batch(image[np.newaxis])[0]
    dense = all_evidence_for_pneumonia(network).reshape(features.shape)
    expected = np.maximum(features @ dense.mean(axis=(0, 1)), 0)
    assert expected.max() > 0
    np.testing.assert_allclose(heat_map(network, image), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "size", "side", "channels"),
    [
        ("plain-cnn", 32, 4, 192),
        ("vgg16-tuned", 32, 2, 512),
        ("efficientnet-lite0", 64, 2, 1280),
        ("phase4-1", 48, 8, 64),
        ("mount-sinai-3", 48, 8, 128),
        ("tuned-cnn", 32, 13, 64),
    ],
)
def test_the_map_is_the_last_before_the_pooling(
    name: str, size: int, side: int, channels: int
) -> None:
    network = build(name, size)
    assert feature_layer(network).output.shape == (None, side, side, channels)
    image = as_input(np.random.default_rng(5).integers(0, 256, (size, size), dtype=np.uint8))
    before = [len(layer._inbound_nodes) for layer in network.layers]
    heat = heat_map(network, image)
    assert heat.shape == (side, side)
    assert np.isfinite(heat).all()
    assert heat.min() >= 0
    assert [len(layer._inbound_nodes) for layer in network.layers] == before


def test_in_bfloat16_the_heat_is_nearly_the_same() -> None:
    import keras

    network = finder(SIZE, "flat")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        coarse = finder(SIZE, "flat")
    finally:
        keras.config.set_dtype_policy(before)
    image = as_input(film_with((UPPER_LEFT, 250)))
    heat = heat_map(network, image)
    np.testing.assert_allclose(heat_map(coarse, image), heat, atol=0.02 * heat.max())


def test_a_network_without_convolution_has_no_map() -> None:
    with pytest.raises(ValueError, match="has no convolution"):
        heat_map(build("blog-mlp", 8), np.zeros((8, 8, 1), dtype=np.float32))


def test_what_goes_round_the_map_is_refused() -> None:
    from keras import Input, Model, layers

    image = Input((8, 8, 1))
    pool = layers.GlobalAveragePooling2D
    both = layers.Concatenate()([pool()(layers.Conv2D(2, 3)(image)), pool()(image)])
    network = Model(image, layers.Dense(1, activation="sigmoid")(both))
    with pytest.raises(ValueError, match="goes round the map"):
        heat_map(network, np.zeros((8, 8, 1), dtype=np.float32))


def test_the_gradient_is_that_of_finite_differences() -> None:
    from keras import ops

    def function(x: object) -> object:
        return ops.sum(ops.sin(x) * ops.square(x))

    at = np.linspace(-1, 2, 6, dtype=np.float32).reshape(2, 3)
    exact = np.cos(at) * at**2 + 2 * at * np.sin(at)
    slope = gradient(function, ops.convert_to_tensor(at))
    assert slope.shape == at.shape
    np.testing.assert_allclose(slope, exact, atol=1e-5)


def test_a_backend_without_gradients_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(ValueError, match="openvino gives no gradients"):
        gradient(lambda x: x, np.zeros(1))


def test_the_members_heat_is_averaged_by_their_weights() -> None:
    bright, dark = np.s_[30:80, 30:80], np.s_[140:190, 130:180]
    film = film_with((bright, 255), (dark, 0), ground=128, size=224)
    networks = [finder(64, "pooled"), finder(56, "flat", dark=True)]
    heat = ensemble_heat_map([member(0.75, 64), member(0.25, 56)], networks, film)
    assert heat.shape == (224, 224)
    assert heat.dtype == np.float32
    assert heat.max() == 1
    assert heat.min() == 0
    assert lies_in(hottest(heat), bright)
    assert heat[dark].max() == pytest.approx(1 / 3, rel=0.02)
    swapped = ensemble_heat_map([member(0.25, 64), member(0.75, 56)], networks, film)
    assert lies_in(hottest(swapped), dark)


def test_the_heat_of_a_framing_lies_in_the_middle_of_the_film() -> None:
    heat = np.ones((4, 4), dtype=np.float32)
    over_film = in_place(heat, FilmView(zoom=2.0))
    assert over_film.shape == (224, 224)
    assert (over_film[56:168, 56:168] == 1).all()
    assert over_film.sum() == 112 * 112
    assert (in_place(heat, FilmView()) == 1).all()


def test_no_evidence_gives_no_heat() -> None:
    black = np.zeros((224, 224), dtype=np.uint8)
    heat = ensemble_heat_map([member(1.0, 64)], [finder(64, "pooled")], black)
    assert heat.shape == (224, 224)
    assert not heat.any()


def test_covering_the_hottest_place_of_a_film_changes_map_and_score(
    shipped: NetworkEnsemble,
) -> None:
    members, networks = shipped.manifest.members, shipped.networks
    film = standardise(display_image(FOLDER / "film-02.jpg"))
    heat = ensemble_heat_map(members, networks, film)
    assert heat.max() == 1
    assert heat.min() >= 0
    row, column = hottest(heat)
    area = np.s_[max(0, row - 40) : row + 40, max(0, column - 40) : column + 40]
    covered = film.copy()
    covered[area] = local_mean(film)[area]
    after = ensemble_heat_map(members, networks, covered)
    assert not lies_in(hottest(after), area)
    assert np.abs(after - heat).max() > 0.3
    # Both lungs of this film are full of it: the rest says nearly as much as the whole.
    whole, less = (score.probability for score in shipped.scores(np.stack([film, covered])))
    assert logit(less) < logit(whole)
    assert (ensemble_heat_map(members, networks, film) == heat).all()


SICK, WELL = np.s_[60:90, 60:90], np.s_[130:160, 150:180]


def two_squares() -> np.ndarray:
    """A noisy film with a bright square that speaks for pneumonia, and one against it."""
    film = np.random.default_rng(1).integers(70, 90, (224, 224), dtype=np.uint8)
    film[SICK] = film[WELL] = 240
    return film


def squares_predict(sizes: list[int]) -> Callable[[np.ndarray], np.ndarray]:
    """The probability rises with the grey of one square and falls with the other's."""

    def predict(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        sick, well = (images[:, *square].mean(axis=(1, 2)) / 255 for square in (SICK, WELL))
        return sigmoid(6 * sick - 3 * well)

    return predict


def commonest(values: np.ndarray) -> int:
    return int(np.bincount(values.ravel()).argmax())


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return explain(squares_predict([]), two_squares(), samples=300, seed=7)


def test_lime_gives_the_squares_the_weights_for_and_against(explanation: Explanation) -> None:
    weights, segments = explanation.weights, explanation.segments
    assert segments.shape == (224, 224)
    assert sorted(np.unique(segments)) == list(range(len(weights)))
    assert 40 <= len(weights) <= 80
    sick, well = commonest(segments[SICK]), commonest(segments[WELL])
    assert weights.argmax() == sick
    assert weights.argmin() == well
    others = np.delete(weights, [sick, well])
    assert np.abs(others).max() < weights[sick] / 3


def test_lime_is_in_units_of_the_logit(explanation: Explanation) -> None:
    film = two_squares()
    hidden = film.copy()
    area = explanation.segments == commonest(explanation.segments[SICK])
    hidden[area] = local_mean(film)[area]
    whole, less = logit(squares_predict([])(np.stack([film, hidden])))
    assert explanation.weights.max() == pytest.approx(whole - less, rel=0.25)


def test_lime_gives_the_same_again_by_its_seed(explanation: Explanation) -> None:
    again = explain(squares_predict([]), two_squares(), samples=300, seed=7)
    other = explain(squares_predict([]), two_squares(), samples=300, seed=8)
    assert (again.weights == explanation.weights).all()
    assert (again.segments == explanation.segments).all()
    assert not np.array_equal(other.weights, explanation.weights)
    assert other.weights.argmax() == explanation.weights.argmax()


def test_lime_predicts_in_batches_and_tells_how_far_it_is() -> None:
    sizes: list[int] = []
    steps: list[tuple[int, int]] = []
    explain(
        squares_predict(sizes),
        two_squares(),
        samples=70,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert sizes == [BATCH, BATCH, 6]
    assert steps == [(32, 70), (64, 70), (70, 70)]


def test_one_sample_explains_nothing() -> None:
    with pytest.raises(ValueError, match="two samples"):
        explain(squares_predict([]), two_squares(), samples=1)


def test_a_black_film_has_superpixels_without_weight() -> None:
    black = np.zeros((224, 224), dtype=np.uint8)
    assert superpixels(black).shape == (224, 224)
    assert not explain(squares_predict([]), black, samples=40).weights.any()


@pytest.mark.parametrize("shape", [(300, 500), (224, 224), (97, 61)])
def test_a_painted_film_keeps_its_size_and_shows_through(shape: tuple[int, int]) -> None:
    film = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    heat = np.zeros((224, 224), dtype=np.float32)
    grey = np.repeat(film[..., np.newaxis], 3, axis=-1)
    assert (painted(film, heat, 1.0) == grey).all()
    heat[:, 112:] = 1
    half = painted(film, heat, 1.0)
    assert half.shape == (*shape, 3)
    assert half.dtype == np.uint8
    third = shape[1] // 3
    assert (half[:, :third] == grey[:, :third]).all()
    assert (half[:, -third:] == COLOURS[-1]).all()
    assert (painted(film, heat, 0.0) == grey).all()


def test_opacity_blends_film_and_colour() -> None:
    film = np.full((50, 50), 100, dtype=np.uint8)
    heat = np.ones((224, 224), dtype=np.float32)
    expected = np.rint(0.5 * 100 + 0.5 * np.array(COLOURS[-1]))
    assert (painted(film, heat, 0.5) == expected).all()
    with pytest.raises(ValueError, match="opacity"):
        painted(film, heat, 1.5)


def test_the_colours_grow_evenly_lighter() -> None:
    """CIE 1976 lightness, of sRGB."""
    colours = coloured(np.linspace(0, 1, 9, dtype=np.float32)) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    steps = np.diff(lightness)
    assert steps.min() > 0
    assert steps.max() < 2 * steps.mean()


def test_the_strongest_superpixels_are_outlined_in_their_colours() -> None:
    film = np.full((448, 672), 80, dtype=np.uint8)
    segments = np.kron(np.arange(16).reshape(4, 4), np.ones((56, 56))).astype(np.int32)
    weights = np.zeros(16)
    weights[5], weights[10], weights[0] = 2.0, -1.0, 0.5
    picture = outlined(film, segments, weights, strongest=2)
    assert picture.shape == (448, 672, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[112, 168]) == FOR
    assert tuple(picture[224, 336]) == AGAINST
    sick, well = picture[168, 252].astype(int), picture[280, 420].astype(int)
    assert sick[0] > 80 > sick[2]
    assert well[2] > 80 > well[0]
    assert (picture[:112] == 80).all()
    assert (outlined(film, segments, weights, strongest=3)[0, 0] == FOR).all()


def test_superpixels_without_weight_leave_the_film_grey() -> None:
    film = np.random.default_rng(6).integers(0, 256, (90, 120), dtype=np.uint8)
    segments = np.zeros((224, 224), dtype=np.int32)
    picture = outlined(film, segments, np.zeros(1))
    assert (picture == film[..., np.newaxis]).all()
