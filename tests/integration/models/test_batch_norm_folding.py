"""Folding changes what a network costs, and nothing of what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laboratory.training.recipes import recipe_named
from models.batch_norm_folding import folded
from models.ensemble import load_ensemble, member_logits
from models.explaining.gradcam import ensemble_heat_map
from models.networks import build
from models.preprocessing import standardise
from readfirst.samples import samples


def with_statistics(name: str, size: int) -> Any:
    """A network whose normalisations do something: random scales, shifts, means and variances."""
    network = build(name, size)
    generator = np.random.default_rng(4)
    for layer in network.layers:
        if "norm" in layer.name:
            gamma, beta, mean, variance = (weight.shape for weight in layer.weights)
            layer.set_weights(
                [
                    generator.uniform(0.5, 1.5, gamma),
                    generator.normal(0, 0.2, beta),
                    generator.normal(0, 0.2, mean),
                    generator.uniform(0.5, 1.5, variance),
                ]
            )
    return network


@pytest.mark.parametrize(
    "name", ["plain-cnn", "efficientnet-lite0", "chest-check", "chest-check-wider"]
)
def test_a_folded_network_says_the_same_without_normalisation(name: str) -> None:
    from keras import Model, layers

    network = with_statistics(name, 64)
    twin = folded(network)
    grey = np.random.default_rng(5).uniform(0, 255, (3, 64, 64, 1)).astype(np.float32)
    before, after = (
        np.asarray(Model(each.inputs[0], each.layers[-2].output)(grey)) for each in (network, twin)
    )
    assert before.max() > 0.01
    np.testing.assert_allclose(after, before, atol=1e-5 * np.abs(before).max())
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in twin.layers)
    assert [layer.name for layer in twin.layers] == [layer.name for layer in network.layers]


def test_a_network_without_normalisation_stays_as_it_is() -> None:
    network = build(recipe_named("vgg16").network, 32)
    assert folded(network) is network


def test_the_shipped_members_say_the_same_folded_and_look_at_the_same_places(
    shipped_folder: Path,
) -> None:
    from ingest.dicom.pixels.display import display_image

    films = np.stack([standardise(display_image(sample.path)) for sample in samples()[:2]])
    logits_of, heat = [], []
    for as_trained in (True, False):
        ensemble = load_ensemble(shipped_folder, "float32", as_trained=as_trained)
        members, networks = ensemble.manifest.members, ensemble.networks
        logits_of.append(member_logits(members, networks, films))
        heat.append(ensemble_heat_map(members, networks, films[0]))
    for name, logits in logits_of[0].items():
        np.testing.assert_allclose(logits_of[1][name], logits, atol=1e-3)
    np.testing.assert_allclose(heat[1], heat[0], atol=1e-3)
