"""The check of unlike films: its part of the manifest, its file, its numbers."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from models.ensemble_files import file_names
from models.manifest import Manifest, load_manifest
from models.unlike.contrast import Contrast, load_contrast, save_contrast
from models.unlike.loading import load_unlike_check
from readfirst.errors import Misconfigured
from tests.support.unlike import a_check


def test_a_contrast_is_the_weighted_sum_of_the_features() -> None:
    contrast = Contrast(np.array([1, -2], dtype=np.float32), 0.5)
    np.testing.assert_allclose(contrast.of(np.array([[3.0, 1.0], [0.0, 0.0]])), [1.5, 0.5])


def test_a_contrast_is_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "unlike.safetensors"
    saved = Contrast(np.arange(4, dtype=np.float32), -1.25)
    sha256 = save_contrast(saved, path)
    loaded = load_contrast(path, 4)
    np.testing.assert_array_equal(loaded.weights, saved.weights)
    assert (loaded.intercept, len(sha256)) == (-1.25, 64)


def test_a_file_that_holds_no_fitting_contrast_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "unlike.safetensors"
    save_contrast(Contrast(np.arange(4, dtype=np.float32), 0.0), path)
    with pytest.raises(Misconfigured, match="the contrast of another layer"):
        load_contrast(path, 5)
    path.write_bytes(b"no tensors")
    with pytest.raises(Misconfigured, match="holds no contrast"):
        load_contrast(path, 4)
    with pytest.raises(Misconfigured, match="holds no contrast"):
        load_contrast(tmp_path / "absent", 4)


def test_a_check_of_a_member_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="reads efficientnet-224, which is no member"):
        load_unlike_check(tmp_path, a_check(), {})


@pytest.mark.parametrize(
    "changes", [{"file": "../other"}, {"cells": 0}, {"false_marks": 0.0}, {"more": 1}]
)
def test_a_garbled_part_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_check(**changes)


def test_the_check_is_a_part_of_the_manifest_with_a_file_of_its_own(shipped_folder: Path) -> None:
    manifest = load_manifest(shipped_folder).model_copy(update={"unlike": a_check()})
    again = Manifest.model_validate_json(manifest.model_dump_json())
    assert again.unlike == a_check()
    assert "unlike.safetensors" in file_names(again)


def test_a_manifest_from_before_the_check_is_read(shipped_folder: Path) -> None:
    manifest = load_manifest(shipped_folder)
    older = manifest.model_dump(mode="json", exclude={"unlike"})
    assert Manifest.model_validate(older).unlike is None
