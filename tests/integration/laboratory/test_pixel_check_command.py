"""`readfirst models train pixel-check`, with films from elsewhere."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from laboratory.data.dataset import Subset
from laboratory.pixel_check.train_pixel_check import DRAWN
from models.digests import file_sha256
from models.manifest import PixelCheck
from readfirst.errors import Misconfigured
from tests.support.networks import write_spotted_films
from tests.unit.laboratory.test_elsewhere import write_table


def write_elsewhere(folder: Path, patients: int) -> None:
    """A table of one source of films, and of hands."""
    folder.mkdir()
    write_table(
        folder,
        [
            {"file": f"{source}/{number}.png", "label": label, "patient": f"{source}-{number}"}
            for source, label in (("clinic", "normal"), ("hands", "hand"))
            for number in range(patients)
        ],
    )


def train(data: Path, elsewhere: Path, folder: Path) -> None:
    words = [
        *("models", "train", "pixel-check", "--data", data, "--elsewhere", elsewhere),
        *("--version", "tiny", "--output", folder, "--epochs", 1),
    ]
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output


def test_the_pixel_check_alone_is_made_with_films_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in Subset:
        monkeypatch.setitem(DRAWN, part, 1)
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    write_spotted_films(tmp_path / "data")
    write_elsewhere(tmp_path / "elsewhere", 16)
    folder = tmp_path / "check"
    train(tmp_path / "data", tmp_path / "elsewhere", folder)
    assert {path.name for path in folder.iterdir()} == {
        "pixel-check.curves.csv",
        "pixel-check.json",
        "pixel-check.origin",
        "pixel-check.safetensors",
    }
    check = PixelCheck.model_validate_json((folder / "pixel-check.json").read_bytes())
    assert check.sha256 == file_sha256(folder / check.file)
    assert set(check.sources) == {"clinic"}
    assert "hand (real)" in check.caught
    # Weights are kept, and never measured on films that they may have been fitted to.
    train(tmp_path / "data", tmp_path / "elsewhere", folder)
    assert check.sha256 == file_sha256(folder / check.file)
    write_elsewhere(tmp_path / "others", 18)
    with pytest.raises(Misconfigured, match="other films"):
        train(tmp_path / "data", tmp_path / "others", folder)
