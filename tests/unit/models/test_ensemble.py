import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laboratory.assembly.assemble_ensemble import assemble
from laboratory.data.dataset import Subset, read_folder, split
from laboratory.networks.published import PUBLISHED
from laboratory.training.curves import read_curves
from laboratory.training.member_store import train_members
from laboratory.training.recipes import RECIPES, recipe_named
from models.ensemble import BATCH_SIZES, NetworkEnsemble, load_ensemble
from models.manifest import SHIPPED, find_ensembles, load_manifest, shipped_version
from models.networks import NETWORKS
from models.precision import choose_precision, processor_flags
from readfirst.domain import ImageScore
from readfirst.errors import Misconfigured
from readfirst.samples import samples
from readfirst.testing import FixedEnsemble
from tests.support.networks import write_spotted_films

#: Float32 sums in another order.
SAME = 1e-3


@pytest.fixture
def films(sample_films: np.ndarray) -> np.ndarray:
    return sample_films


def test_every_recipe_names_a_network() -> None:
    assert {recipe.network for recipe in RECIPES.values()} <= {*NETWORKS, *PUBLISHED}
    with pytest.raises(Misconfigured, match="No recipe"):
        recipe_named("resnet")


def test_the_shipped_ensemble_has_a_cnn_and_a_vgg_and_is_small(shipped_folder: Path) -> None:
    manifest = load_manifest(shipped_folder)
    networks = {member.network for member in manifest.members}
    assert any("vgg" in name for name in networks)
    assert networks & {"plain-cnn", "efficientnet-lite0"}
    size = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    assert size < 60 * 1024**2
    assert manifest.metrics.images > 500
    assert manifest.metrics.auc.low > 0.97
    assert "paediatric" in manifest.population.lower() or "children" in manifest.population.lower()


@pytest.fixture
def scores(sample_scores: Sequence[ImageScore]) -> list[float]:
    """Probabilities of the samples, and of some of them once more."""
    return [score.probability for score in sample_scores]


def test_the_shipped_ensemble_tells_the_samples_apart(
    shipped: NetworkEnsemble, scores: list[float]
) -> None:
    known = list(zip(scores, samples(), strict=False))
    sick = [score for score, sample in known if sample.label == "PNEUMONIA"]
    well = [score for score, sample in known if sample.label == "NORMAL"]
    assert np.median(sick) > shipped.threshold > np.median(well)


def test_a_score_does_not_depend_on_the_batch_it_came_in(
    shipped: NetworkEnsemble, films: np.ndarray
) -> None:
    few = films[::3]
    together = [score.probability for score in shipped.scores(few)]
    alone = [shipped.scores(film[np.newaxis])[0].probability for film in few]
    backwards = [score.probability for score in shipped.scores(few[::-1])][::-1]
    np.testing.assert_allclose(alone, together, atol=SAME)
    np.testing.assert_allclose(backwards, together, atol=SAME)


def test_more_images_than_a_batch_holds_are_all_scored(
    scores: list[float], films: np.ndarray
) -> None:
    assert len(scores) == max(BATCH_SIZES) + 1
    again = scores[len(films) :]
    np.testing.assert_allclose(again, scores[: len(again)], atol=SAME)


def test_the_tests_of_a_process_share_what_was_loaded(
    shipped: NetworkEnsemble, shipped_folder: Path
) -> None:
    """By `tests/support/shared_networks.py`."""
    again = load_ensemble(shipped_folder, "float32")
    assert all(a is b for a, b in zip(again.networks, shipped.networks, strict=True))
    assert again.check is shipped.check


def test_no_images_give_no_scores(shipped: NetworkEnsemble) -> None:
    assert shipped.predict(np.zeros((0, 224, 224), dtype=np.uint8)) == []
    with pytest.raises(ValueError, match="no model-ready images"):
        shipped.predict(np.zeros((1, 224, 224, 3), dtype=np.uint8))


def test_a_weight_file_that_was_tampered_with_is_refused(
    shipped_folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "1.0"
    shutil.copytree(shipped_folder, copy)
    weights = next(copy.glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(Misconfigured, match="not the file that its manifest names"):
        load_ensemble(copy)


@pytest.mark.parametrize("garbled", ["", "{}", '{"version": 3}'])
def test_a_garbled_manifest_is_named(tmp_path: Path, garbled: str) -> None:
    (tmp_path / "manifest.json").write_text(garbled)
    with pytest.raises(Misconfigured, match="garbled"):
        load_manifest(tmp_path)


def test_a_folder_without_ensemble_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="holds no ensemble"):
        load_manifest(tmp_path)


def test_an_ensemble_of_the_site_stands_before_a_shipped_one_of_its_version(
    shipped_folder: Path, tmp_path: Path
) -> None:
    own = tmp_path / "mine"
    own.mkdir()
    shutil.copy(shipped_folder / "manifest.json", own)
    version = shipped_version()
    assert find_ensembles([tmp_path, SHIPPED])[version] == own


def test_the_fixed_ensemble_hands_out_what_it_was_given() -> None:
    ensemble = FixedEnsemble([0.1, 0.9])
    scores = ensemble.predict(np.zeros((3, 224, 224), dtype=np.uint8))
    assert scores == [ImageScore(p, {"fixed": p}) for p in (0.1, 0.9, 0.1)]


def test_precision_follows_the_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor: 0\nflags\t\t: sse avx512_bf16 fma\n")
    assert "avx512_bf16" in processor_flags(cpuinfo)
    assert processor_flags(tmp_path / "none") == set()
    assert choose_precision("bfloat16") == "bfloat16"
    expected = {"avx512_bf16", "amx_bf16", "bf16"} & processor_flags()
    assert choose_precision("auto") == ("bfloat16" if expected else "float32")


def test_bfloat16_gives_nearly_the_same_scores(
    shipped: NetworkEnsemble, shipped_folder: Path, films: np.ndarray
) -> None:
    coarse = load_ensemble(shipped_folder, "bfloat16").scores(films[:8])
    fine = shipped.scores(films[:8])
    differences = [abs(a.probability - b.probability) for a, b in zip(coarse, fine, strict=True)]
    assert np.median(differences) < 0.02
    assert max(differences) < 0.10


@pytest.mark.usefixtures("small_networks")
def test_an_ensemble_is_trained_from_a_folder_and_can_be_loaded(tmp_path: Path) -> None:
    """A real, tiny training: the sick films have a bright spot, the healthy ones have none."""
    data, output = tmp_path / "data", tmp_path / "ensembles" / "tiny"
    write_spotted_films(data)
    parts = split(read_folder(data), seed=1)
    recipes = [replace(RECIPES["cnn"], input_size=32, epochs=3)]
    train_members(recipes, parts, output, seed=1)
    manifest = assemble(recipes, parts, output, version="tiny", seed=1)
    assert load_manifest(output) == manifest
    assert manifest.metrics.patients == len({film.patient for film in parts[Subset.HELD_OUT]})
    curves = read_curves(output / "cnn.curves.csv")
    assert len(curves["loss"]) == 3
    assert curves["loss"][-1] < curves["loss"][0]
    loaded = load_ensemble(output)
    assert loaded.version == "tiny"
    before = (output / "cnn.safetensors").stat().st_mtime_ns
    train_members(recipes, parts, output, seed=1)
    after = (output / "cnn.safetensors").stat().st_mtime_ns
    assert after == before, "a member that was kept is trained again"
