"""The check of unlike films: fitted by the command, and told by the scores."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli import app
from laboratory.data.dataset import Subset, load_images, read_folder, split
from laboratory.data.elsewhere import load_model_ready, read_elsewhere
from laboratory.unlike import gather_features
from laboratory.unlike.fit_unlike import hospital_of
from models.ensemble import load_ensemble
from models.manifest import load_manifest, shipped_version
from readfirst.errors import Misconfigured
from tests.support.networks import write_spotted_films
from tests.support.unlike import LAYER, write_one_network, write_striped_films


def run(*words: object) -> str:
    result = CliRunner().invoke(app, ["models", "fit-unlike", *(str(word) for word in words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films of both kinds, which nothing changes."""
    folder = tmp_path_factory.mktemp("films")
    write_spotted_films(folder / "data")
    write_striped_films(folder / "elsewhere")
    return folder


@pytest.fixture
def home(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "var"))
    for name in ("data", "elsewhere"):
        (tmp_path / name).symlink_to(films / name)
    return tmp_path


def options(home: Path) -> list[object]:
    return ["--data", home / "data", "--elsewhere", home / "elsewhere"]


LAYER_OPTIONS = ["--member", "small", "--layer", LAYER]


def test_the_check_is_fitted_and_marks_films_of_other_people(home: Path) -> None:
    folder = write_one_network(home / "small", "small")
    printed = json.loads(run(folder, *options(home), *LAYER_OPTIONS, "--json"))
    manifest = load_manifest(folder)
    assert manifest.unlike is not None
    assert printed == manifest.unlike.model_dump(mode="json")
    figures = manifest.unlike.figures
    assert len(figures.acquisitions) == 9
    assert set(figures.unseen) == {"hospital0", "hospital1"}
    assert set(figures.elsewhere) == {f"hospital{n}_copies, adult, PA" for n in (0, 1)}
    ensemble = load_ensemble(folder)
    others = load_model_ready(read_elsewhere(home / "elsewhere")[:20])
    assert np.mean([bool(score.unlike) for score in ensemble.scores(others)]) > 0.8
    own = load_images(split(read_folder(home / "data"), 1)[Subset.HELD_OUT])
    assert np.mean([bool(score.unlike) for score in ensemble.scores(own)]) < 0.3


def test_the_same_seed_gives_the_same_check(home: Path) -> None:
    for name in ("first", "second"):
        run(write_one_network(home / name, name), *options(home), *LAYER_OPTIONS, "--seed", 3)
    first, second = (load_manifest(home / name).unlike for name in ("first", "second"))
    assert first == second


def test_a_copy_gets_the_check_and_the_ensemble_stays(home: Path) -> None:
    folder = write_one_network(home / "small", "small")
    copy = ["--output", home / "copy", "--version", "small.u"]
    table = run(folder, *options(home), *LAYER_OPTIONS, *copy)
    assert "hospital0" in table
    assert load_manifest(folder).unlike is None
    assert load_ensemble(home / "copy").version == "small.u"
    with pytest.raises(Misconfigured, match="lies in"):
        run(folder, *options(home), *LAYER_OPTIONS, *copy)


def test_what_cannot_be_done_is_said(home: Path) -> None:
    folder = write_one_network(home / "small", "small")
    with pytest.raises(Misconfigured, match="comes with ReadFirst never changes"):
        run(shipped_version(), *options(home))
    with pytest.raises(Misconfigured, match="--version is for the copy"):
        run(folder, *options(home), "--version", "other")
    with pytest.raises(Misconfigured, match="No layer is known"):
        run(folder, *options(home))
    with pytest.raises(Misconfigured, match="No layer is known for a member other"):
        run(folder, *options(home), "--member", "other", "--layer", LAYER)
    with pytest.raises(Misconfigured, match="has no layer absent"):
        run(folder, *options(home), "--member", "small", "--layer", "absent")


def test_without_adults_from_elsewhere_there_is_nothing_to_fit_on(home: Path) -> None:
    write_striped_films(home / "minors", count=4, population="minor")
    folder = write_one_network(home / "small", "small")
    paths = ["--data", home / "data", "--elsewhere", home / "minors"]
    with pytest.raises(Misconfigured, match="No chest films of adults"):
        run(folder, *paths, *LAYER_OPTIONS)


def test_no_more_films_of_a_source_are_read_than_are_needed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather_features, "MOST_OF_A_SOURCE", 3)
    folder = write_one_network(home / "small", "small")
    run(folder, *options(home), *LAYER_OPTIONS)
    check = load_manifest(folder).unlike
    assert check is not None
    assert {share.films for share in check.figures.elsewhere.values()} == {3}


@pytest.mark.parametrize(("source", "hospital"), [("nih", "nih"), ("nih_normal_224", "nih")])
def test_sources_whose_names_begin_alike_are_of_one_hospital(source: str, hospital: str) -> None:
    assert hospital_of(source) == hospital
