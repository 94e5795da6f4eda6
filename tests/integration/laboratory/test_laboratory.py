"""The commands of the laboratory, one after the other, as one would use them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli import app
from laboratory.data.dataset import Subset, read_folder, split
from laboratory.training.recipes import RECIPES, changed
from models.manifest import load_manifest
from readfirst.errors import Misconfigured
from tests.fixtures.films_read_once import films_read_once  # noqa: F401
from tests.support.files import a_dataset, dicom_bytes
from tests.support.networks import write_spotted_films

pytestmark = pytest.mark.usefixtures("films_read_once")
TINY = ["--set", "input_size=32", "--set", "augmentation.zoom=1.05", "--set", "averaging=0"]


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laboratory")


@pytest.fixture(scope="module")
def data(home: Path) -> Path:
    write_spotted_films(home / "data")
    return home / "data"


@pytest.fixture(scope="module")
def trained(home: Path, data: Path) -> Path:
    folder = home / "tiny"
    run(
        *("models", "train", "cnn", "--data", data, "--version", "tiny", "--output", folder),
        *("--epochs", 4, "--no-pixel-check", "--one-view", *TINY),
    )
    return folder


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_HOME", str(home / "var"))
    monkeypatch.chdir(home)


def test_training_writes_weights_curves_and_a_manifest(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == {
        "cnn.safetensors",
        "cnn.curves.csv",
        "cnn.origin",
        "golden.json",
        "manifest.json",
    }
    with (trained / "cnn.curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert {"loss", "val_loss", "auc", "val_auc"} <= set(rows[0])
    manifest = load_manifest(trained)
    assert manifest.operating_point.miss_cost == 2
    assert set(manifest.operating_point.acquisitions) > {"as it is", "tight"}
    assert manifest.metrics.auc.value > 0.9, "a bright square is easy to see"


def test_evaluating_reports_every_figure_and_draws_them(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    words = ("models", "evaluate", trained, "--data", data, "--json")
    metrics = json.loads(run(*words, "--split", "held-out"))
    films = split(read_folder(data), 1)[Subset.HELD_OUT]
    assert metrics["images"] == len(films)
    run("models", "evaluate", trained, f"{trained}:cnn", "--data", data, "--report", tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert len(numbers["models"]) == 2
    assert numbers["models"][0]["disagreement"] is None, "it has one member"


def test_comparing_a_model_with_itself_shows_no_difference(trained: Path, data: Path) -> None:
    rows = json.loads(run("models", "compare", trained, trained, "--data", data, "--json"))
    assert [row["difference"]["value"] for row in rows] == [0.0] * len(rows)
    assert "AUC" in run("models", "compare", trained, trained)


def test_showing_a_network_says_its_size_and_recipe(trained: Path) -> None:
    facts = json.loads(run("models", "show", "capstone-cnn", "--json"))
    assert (facts["parameters"], facts["trainable_parameters"]) == (5_677_329, 5_676_881)
    assert facts["input_shape"] == [150, 150, 1]
    assert facts["recipe"]["epochs"] == 20
    assert json.loads(run("models", "show", "capstone-dcgan", "--json"))["parameters"] > 5_000_000
    facts = json.loads(run("models", "show", trained, "--json"))
    assert facts["parameters"] == 842_465
    assert facts["metrics"]["auc"]["value"] > 0.9
    names = {row["name"] for row in json.loads(run("models", "list", "--networks", "--json"))}
    assert names == set(RECIPES)


def test_explaining_paints_over_the_film(trained: Path, tmp_path: Path) -> None:
    film = np.full((90, 80), 90, dtype=np.uint8)
    film[30:60, 25:55] = 230
    Image.fromarray(film).save(tmp_path / "film.png")
    words = ("--ensemble", trained, "--samples", 40, "--output", tmp_path)
    run("models", "explain", tmp_path / "film.png", *words)
    for name in ("gradcam", "lime"):
        with Image.open(tmp_path / f"film.{name}.png") as picture:
            assert (picture.size, picture.mode) == ((80, 90), "RGB")


def test_tuning_searches_and_goes_on(data: Path, tmp_path: Path) -> None:
    words = ("models", "tune", "tuned-cnn", "--data", data, "--output", tmp_path, "--json")
    small = ("--set", "input_size=24", "--set", "epochs=1")
    first = json.loads(run(*words, *small, "--trials", 1))
    again = json.loads(run(*words, *small, "--trials", 2))
    assert len(first) == 1
    assert {row["number"] for row in again} == {0, 1}
    assert first[0] in again
    assert {"first", "second", "dense", "learning_rate"} == set(first[0]["params"])


@pytest.mark.usefixtures("small_networks")
def test_transfer_measures_the_groups_that_were_not_trained_on(
    data: Path, home: Path, tmp_path: Path
) -> None:
    words = ("models", "transfer", "cnn", "--data", data, "--output", tmp_path, "--json")
    rows = json.loads(run(*words, *TINY, "--set", "epochs=3"))
    assert [row["measured_on"] for row in rows] == [
        ["normal-2", "viral"],
        ["normal-1", "bacterial"],
    ]
    assert [row["films"] for row in rows] == [40, 40]
    assert all(0 <= row["auc"] <= 1 for row in rows)
    alone = home / "one group"
    for path in data.rglob("*.png"):
        if "NORMAL2" not in path.name:
            copy = alone / path.relative_to(data)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    with pytest.raises(Misconfigured, match="four groups"):
        run("models", "transfer", "cnn", "--data", alone, *TINY)


def test_generating_writes_a_sheet_of_invented_films(data: Path, tmp_path: Path) -> None:
    run(
        *("models", "generate", "--data", data, "--epochs", 1, "--count", 8),
        *("--output", tmp_path, "--seed", 2),
    )
    with Image.open(tmp_path / "samples.png") as sheet:
        assert sheet.size == (512, 64)
    assert (tmp_path / "generator.safetensors").exists()


@pytest.mark.usefixtures("small_networks", "untraced_steps")
def test_dicom_films_are_trained_on_by_a_csv_of_labels(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    lines = ["path,label,patient"]
    for number in range(40):
        pixels = generator.integers(800, 1800, (48, 48)).astype(np.uint16)
        if number % 2:
            pixels[12:36, 12:36] = 3800
        (tmp_path / f"{number}.dcm").write_bytes(dicom_bytes(a_dataset(pixels)))
        lines.append(f"{number}.dcm,{'pneumonia' if number % 2 else 0},p{number}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    folder = tmp_path / "own"
    run(
        *("models", "train", "cnn", "--data", tmp_path, "--labels", tmp_path / "labels.csv"),
        *("--version", "own", "--output", folder, "--epochs", 2, "--no-pixel-check"),
        *("--one-view", *TINY),
    )
    assert load_manifest(folder).metrics.patients == 6


@pytest.mark.parametrize(
    ("line", "complaint"), [("a.png,2", "no label"), ("gone.png,1", "no file"), (None, "columns")]
)
def test_a_wrong_csv_of_labels_is_explained(
    tmp_path: Path, line: str | None, complaint: str
) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a.png")
    table = tmp_path / "labels.csv"
    table.write_text(f"path,label\n{line}\n" if line else "file,class\na,b\n")
    with pytest.raises(Misconfigured, match=complaint):
        run("models", "train", "cnn", "--data", tmp_path, "--labels", table, "--version", "x")


def test_a_recipe_is_changed_by_name_and_checked() -> None:
    recipe = changed(RECIPES["cnn"], {"mixup": "0.2", "augmentation.blur": "0", "patience": "none"})
    assert (recipe.mixup, recipe.augmentation.blur, recipe.patience) == (0.2, 0.0, None)
    for field, value in {"mixing": "1", "epochs": "many", "augmentation.fog": "1"}.items():
        with pytest.raises(Misconfigured, match="recipe"):
            changed(RECIPES["cnn"], {field: value})


@pytest.mark.usefixtures("untraced_steps")
def test_training_goes_on_from_the_members_of_an_earlier_ensemble(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    """An epoch at next to no learning rate leaves the weights where they were."""
    run(
        *("models", "train", "cnn", "--data", data, "--version", "next", "--output", tmp_path),
        *("--from", trained, "--epochs", 1, "--no-pixel-check", "--one-view", *TINY),
        *("--set", "learning_rate=1e-9"),
    )
    assert load_manifest(tmp_path).metrics.auc.value > 0.9
    with pytest.raises(Misconfigured, match="to go on from"):
        run(
            *("models", "train", "blog-cnn", "--data", data, "--version", "z"),
            *("--from", trained, "--output", tmp_path / "z"),
        )
