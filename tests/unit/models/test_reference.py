"""The reference for drift: made from films, kept beside the weights, and checked."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli import app
from laboratory.assembly.make_reference import REFERENCE_FILE, make_reference, write_reference
from laboratory.data.dataset import load_images, read_folder
from models.ensemble import NetworkEnsemble
from models.exposure import measure_exposure
from models.manifest import check_files, load_manifest
from models.reference import load_reference
from readfirst.errors import Misconfigured
from readfirst.monitoring.reference import REFERENCES, as_data, read_reference
from readfirst.samples import FOLDER


def test_exposure_is_the_median_and_what_is_black_or_white() -> None:
    image = np.full((4, 4), 100, dtype=np.uint8)
    image[0] = (0, 2, 253, 255)
    image[1] = (3, 252, 101, 102)
    exposure = measure_exposure(image)
    assert (exposure.median_grey, exposure.clipped_share) == (100.0, 4 / 16)


def test_the_shipped_ensemble_has_the_reference_of_its_held_out_films(
    shipped_folder: Path,
) -> None:
    manifest = load_manifest(shipped_folder)
    reference = load_reference(shipped_folder, manifest)
    assert reference is not None
    assert reference.ensemble_version == manifest.version
    for kind in (reference.scores, reference.median_grey, reference.clipped_share):
        assert sum(kind.pneumonia) + reference.refused.pneumonia[0] == manifest.metrics.pneumonia
        assert sum(kind.pneumonia) + sum(kind.normal) == manifest.metrics.images
        at_threshold = 1 if kind is reference.scores else 0
        assert len(kind.edges) == 9 + at_threshold
    assert manifest.threshold in reference.scores.edges
    assert reference.refused.pneumonia[1] + reference.refused.normal[1] == manifest.metrics.images
    # The healthy lie below, the sick above.
    assert sum(reference.scores.normal[:5]) > 0.9 * sum(reference.scores.normal)
    assert sum(reference.scores.pneumonia[5:]) > 0.9 * sum(reference.scores.pneumonia)


def a_labelled_folder(folder: Path) -> Path:
    """The shipped samples, as if the odd ones were sick."""
    for number, source in enumerate(sorted(FOLDER.glob("film-*.jpg"))):
        name = "PNEUMONIA" if number % 2 else "NORMAL"
        path = folder / name / f"{source.stem}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
    return folder


def test_a_reference_counts_every_film_once(shipped: NetworkEnsemble, tmp_path: Path) -> None:
    films = read_folder(a_labelled_folder(tmp_path))
    images = load_images(films)
    images[0] = np.random.default_rng(0).integers(0, 255, images[0].shape)
    made = make_reference(shipped, films, images, "samples")
    assert sum(made.refused.pneumonia) + sum(made.refused.normal) == len(films) + 1
    assert made.refused.normal[0] == 1, "noise is no chest film, and its score is left out"
    assert sum(made.scores.normal) == made.refused.normal[1] - 1
    assert read_reference(as_data(made)) == made
    assert read_reference(REFERENCES.dump_json(made)) == made
    with pytest.raises(ValueError, match="both classes"):
        make_reference(shipped, films[:1], images[:1], "one film")


def test_the_command_lays_it_beside_the_weights(
    shipped_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READFIRST_HOME", str(tmp_path / "home"))
    folder = tmp_path / "ensemble"
    shutil.copytree(shipped_folder, folder)
    data = a_labelled_folder(tmp_path / "data")
    result = CliRunner().invoke(app, ["models", "reference", str(folder), "--data", str(data)])
    assert result.exit_code == 0, result.output
    manifest = load_manifest(folder)
    check_files(folder, manifest)
    made = load_reference(folder, manifest)
    assert made is not None
    assert made.films == "all, 6 films"


def test_a_reference_that_is_not_the_manifests_is_refused(
    shipped_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ensemble"
    shutil.copytree(shipped_folder, folder)
    manifest = load_manifest(folder)
    known = load_reference(folder, manifest)
    assert known is not None
    with pytest.raises(Misconfigured, match="is of ensemble"):
        load_reference(folder, manifest.model_copy(update={"version": "9"}))
    assert load_reference(folder, manifest.model_copy(update={"reference": None})) is None
    path = folder / REFERENCE_FILE
    path.write_text(path.read_text().replace("held-out", "other"))
    for check in (load_reference, check_files):
        with pytest.raises(Misconfigured, match="manifest names"):
            check(folder, manifest)
    path.unlink()
    with pytest.raises(Misconfigured, match="cannot be read"):
        load_reference(folder, manifest)
    write_reference(folder, known)
    assert load_reference(folder, load_manifest(folder)) == known
    with pytest.raises(ValueError, match="no reference"):
        read_reference("{}")
