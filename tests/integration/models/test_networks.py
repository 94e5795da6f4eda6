"""Every network by name: its totals, and that it runs."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from laboratory.networks import build
from laboratory.networks.published import PUBLISHED
from models import networks
from models.networks import NETWORKS
from models.weights import load_weights, save_weights
from readfirst.errors import Misconfigured

#: Side, parameters and trainable ones. Those marked in the studies are copied from them.
TOTALS = {
    "plain-cnn": (96, 842_465, 840_801),
    "vgg16-tuned": (112, 14_715_201, 12_979_713),
    "vgg16-narrow": (144, 2_690_929, 2_690_929),
    "efficientnet-lite0": (160, 3_413_729, 3_356_497),
    "chest-check": (64, 66_889, 66_521),
    "chest-check-wider": (64, 133_025, 132_473),
    "phase4-1": (224, 2_797_665, 2_797_665),
    "phase4-2": (224, 2_797_665, 2_797_665),
    "phase4-3": (224, 2_797_665, 2_797_665),
    "phase4-4": (224, 985_569, 985_569),
    "phase4-5": (224, 535_265, 535_265),
    "phase4-6": (224, 23_235_905, 3_211_521),
    "phase4-7": (224, 143_731_369, 64_129),
    "capstone-cnn": (150, 5_677_329, 5_676_881),
    "capstone-vgg16": (150, 23_760_705, 9_046_017),
    "mount-sinai-1": (150, 355_425, 355_425),
    "mount-sinai-2": (150, 42_553_025, 42_553_025),
    "mount-sinai-3": (150, 9_598_913, 9_597_697),
    "mount-sinai-4": (150, 6_948_033, 6_945_537),
    "mount-sinai-5": (150, 18_910_017, 4_195_329),
    "mount-sinai-6": (150, 16_847_169, 2_131_457),
    "mount-sinai-7": (150, 19_075_905, 4_360_193),
    "blog-mlp": (120, 11_104_833, 11_104_833),
    "blog-cnn": (120, 3_221_665, 3_221_665),
    "blog-deep-cnn": (120, 16_738_337, 16_738_337),
    "blog-vgg16": (120, 17_140_289, 15_404_801),
    "tuned-cnn": (150, 10_636_865, 10_636_673),
}


def test_every_network_has_its_totals_here() -> None:
    assert set(TOTALS) == {*NETWORKS, *PUBLISHED}


@pytest.fixture
def _no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are drawn begin at zero: to draw a hundred million takes longest."""
    from keras import initializers, ops

    def zeros(
        _self: object, shape: tuple[int, ...], dtype: str | None = None, **_: object
    ) -> object:
        return ops.zeros(shape, dtype)

    monkeypatch.setattr(initializers.VarianceScaling, "__call__", zeros)


@pytest.mark.usefixtures("_no_chance")
@pytest.mark.parametrize("name", TOTALS)
def test_totals(name: str) -> None:
    size, parameters, trainable = TOTALS[name]
    network = build(name, size)
    assert network.count_params() == parameters
    assert sum(int(np.prod(w.shape)) for w in network.trainable_weights) == trainable
    assert network.input_shape == (None, size, size, 1)
    assert network.output_shape == (None, 1)


def test_weights_fit_a_network_that_is_built_again(tmp_path: Path) -> None:
    """Keras numbers layers over all that a process builds."""
    first, second = build("mount-sinai-3", 64), build("mount-sinai-3", 64)
    save_weights(first, tmp_path / "weights.safetensors")
    load_weights(second, tmp_path / "weights.safetensors")
    for left, right in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-4)
    with pytest.raises(Misconfigured, match="another network"):
        load_weights(build("mount-sinai-4", 64), tmp_path / "weights.safetensors")


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(Misconfigured, match="No network is called"):
        build("resnet", 224)


def test_an_ensemble_may_have_a_published_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product finds it by the entry point, and imports no laboratory for any other."""
    project = tomllib.loads((Path(networks.__file__).parents[2] / "pyproject.toml").read_text())
    group = project["project"]["entry-points"][networks.ENTRY_POINTS]
    announced = [EntryPoint(name, value, networks.ENTRY_POINTS) for name, value in group.items()]
    monkeypatch.setattr(networks, "entry_points", lambda group: announced)
    monkeypatch.setitem(PUBLISHED, "blog-cnn", lambda size: f"blog-cnn of {size}")
    assert networks.build("blog-cnn", 120) == "blog-cnn of 120"
    with pytest.raises(Misconfigured, match=r"plain-cnn.*blog-cnn"):
        networks.build("resnet", 224)
