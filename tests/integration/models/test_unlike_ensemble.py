"""Scores say whether their films are unlike the validated ones, in the same pass."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laboratory.data.dataset import Subset, read_folder, split
from laboratory.data.elsewhere import Half, in_half, load_model_ready, read_elsewhere
from models.ensemble import NetworkEnsemble, load_ensemble, outputs_in_batches
from models.manifest import MANIFEST_FILE, load_manifest
from models.networks import build
from models.preprocessing import network_input
from models.unlike.contrast import Contrast, save_contrast
from models.unlike.features import with_features
from readfirst.domain import ImageScore
from readfirst.errors import Misconfigured
from readfirst.samples import samples
from readfirst.statistics.shares import wilson_interval
from tests.support.requirements import require
from tests.support.unlike import LAYER, a_check, write_one_network


@pytest.fixture(scope="module")
def films() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (9, 224, 224)).astype(np.uint8)


def with_check(folder: Path, threshold: float) -> Path:
    """Write a check that marks films by the mean of the features."""
    contrast = Contrast(np.full(4 * 16, 1 / 64, dtype=np.float32), 0.0)
    sha256 = save_contrast(contrast, folder / "unlike.safetensors")
    check = a_check(member="small", layer=LAYER, sha256=sha256, threshold=threshold)
    manifest = load_manifest(folder).model_copy(update={"unlike": check})
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
    return folder


def test_the_features_are_means_over_the_cells_of_a_layer(films: np.ndarray) -> None:
    from keras import Model

    network = build("chest-check", 64)
    inputs = network_input(films, 64)
    probabilities, features = outputs_in_batches(with_features(network, LAYER, 2), inputs)
    layer = Model(network.inputs, network.get_layer(LAYER).output)
    (maps,) = outputs_in_batches(layer, inputs)
    side, channels = maps.shape[1], maps.shape[3]
    half = side // 2
    cells = [maps[:, y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
    expected = np.concatenate([cell.mean(axis=(1, 2)) for cell in cells], axis=1)
    assert features.shape == (9, 4 * channels)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)
    (alone,) = outputs_in_batches(network, inputs)
    np.testing.assert_allclose(probabilities, alone, rtol=1e-4)


@pytest.mark.parametrize(
    ("layer", "cells", "fault"),
    [("absent", 2, "has no layer absent"), ("dense", 1, "has no 1 x 1"), (LAYER, 16, "16 x 16")],
)
def test_a_layer_that_has_no_such_cells_is_refused(layer: str, cells: int, fault: str) -> None:
    side = 64 if layer != LAYER else 32
    with pytest.raises(Misconfigured, match=fault):
        with_features(build("chest-check", side), layer, cells)


def test_a_score_says_that_its_film_is_unlike(tmp_path: Path, films: np.ndarray) -> None:
    folder = write_one_network(tmp_path / "small", "small")
    plain = load_ensemble(folder, "float32").scores(films)
    assert [score.unlike for score in plain] == [None] * 9
    network = with_features(load_ensemble(folder, "float32").networks[0], LAYER, 2)
    features = outputs_in_batches(network, network_input(films, 64))[1]
    threshold = float(np.median(features.mean(axis=1)))
    checked = load_ensemble(with_check(folder, threshold), "float32").scores(films)
    expected = [bool(marked) for marked in features.mean(axis=1) >= threshold]
    assert [score.unlike for score in checked] == expected
    assert set(expected) == {True, False}
    np.testing.assert_allclose(
        [score.probability for score in checked],
        [score.probability for score in plain],
        rtol=1e-4,
    )
    alone = [replace(score, unlike=None) for score in plain]
    assert [score.members.keys() for score in checked] == [score.members.keys() for score in alone]


def test_a_file_that_is_not_the_one_of_the_manifest_is_refused(tmp_path: Path) -> None:
    folder = with_check(write_one_network(tmp_path / "small", "small"), 0.0)
    (folder / "unlike.safetensors").write_bytes(b"another")
    with pytest.raises(Misconfigured, match="not the file that its manifest names"):
        load_ensemble(folder)


def test_no_sample_film_is_marked(
    shipped: NetworkEnsemble, sample_scores: Sequence[ImageScore]
) -> None:
    expected = None if shipped.manifest.unlike is None else False
    assert len(sample_scores) >= len(samples())
    assert {score.unlike for score in sample_scores} == {expected}


def test_the_shipped_ensemble_marks_adults_and_few_children_of_its_own(
    shipped: NetworkEnsemble, training_data: Path
) -> None:
    from laboratory.data.dataset import load_images

    elsewhere = training_data / "elsewhere"
    require("training data", (elsewhere / "films.csv").is_file())
    if shipped.manifest.unlike is None:
        assert shipped.unlike is None
        return
    adults = [
        film
        for film in in_half(read_elsewhere(elsewhere), Half.MEASURE)
        if film.population == "adult"
    ][:40]
    marked = sum(bool(score.unlike) for score in shipped.scores(load_model_ready(adults)))
    assert wilson_interval(marked, len(adults))[0] > 0.8
    held_out = split(read_folder(training_data / "train"), 1)[Subset.HELD_OUT][::20]
    marks = sum(bool(score.unlike) for score in shipped.scores(load_images(held_out)))
    assert marks <= 2
