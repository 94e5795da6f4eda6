"""An ensemble comes into the site's folder whole and as its manifest says, or not at all."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from models.ensemble_files import file_names, install, manifest_sha256
from models.golden import GoldenScores, compare_scores, load_golden
from models.manifest import MANIFEST_FILE, check_files, load_manifest
from readfirst.errors import Misconfigured
from tests.support.ensembles import an_ensemble_folder


def zipped(folder: Path, path: Path, prefix: str = "") -> Path:
    with ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


@pytest.mark.parametrize("kind", ["folder", "flat archive", "archive of a folder"])
def test_it_comes_from_a_folder_or_an_archive(tmp_path: Path, kind: str) -> None:
    source = an_ensemble_folder(tmp_path / "source", "3.1", golden={"ab": 0.5})
    (source / "notes.txt").write_text("not of the ensemble")
    path = source
    if kind != "folder":
        path = zipped(source, tmp_path / "e.zip", "3.1/" if "of a" in kind else "")
    folder = install(path, tmp_path / "site")
    assert folder == tmp_path / "site" / "3.1"
    manifest = load_manifest(folder)
    check_files(folder, manifest)
    assert sorted(path.name for path in folder.iterdir()) == sorted(file_names(manifest))
    assert manifest_sha256(folder) == manifest_sha256(source)
    assert load_golden(folder, manifest) == GoldenScores(scores={"ab": 0.5})
    assert install(path, tmp_path / "site") == folder, "it is there already"


def test_another_one_of_its_version_is_refused(tmp_path: Path) -> None:
    first = an_ensemble_folder(tmp_path / "first", "3.1")
    second = an_ensemble_folder(tmp_path / "second", "3.1", golden={"ab": 0.5})
    install(first, tmp_path / "site")
    with pytest.raises(Misconfigured, match=r"Another ensemble of version 3\.1"):
        install(second, tmp_path / "site")
    assert manifest_sha256(tmp_path / "site" / "3.1") == manifest_sha256(first)


def test_what_is_cut_or_changed_leaves_nothing(tmp_path: Path) -> None:
    source = an_ensemble_folder(tmp_path / "source", "3.1")
    weights = next(source.glob("*.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content + b"!")
    with pytest.raises(Misconfigured, match="not the file that its manifest names"):
        install(source, tmp_path / "site")
    weights.unlink()
    with pytest.raises(Misconfigured, match="cannot be copied"):
        install(source, tmp_path / "site")
    with pytest.raises(Misconfigured, match="lacks a file"):
        install(zipped(source, tmp_path / "e.zip"), tmp_path / "site")
    assert list((tmp_path / "site").iterdir()) == []


def test_what_is_no_ensemble_says_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("weights")
    with ZipFile(tmp_path / "empty.zip", "w"):
        pass
    for name in ("text", "empty.zip"):
        with pytest.raises(Misconfigured, match="no ZIP archive of one ensemble"):
            install(tmp_path / name, tmp_path / "site")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Misconfigured, match=r"manifest\.json cannot be copied"):
        install(tmp_path / "folder", tmp_path / "site")


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "a/b", ".hidden", ""])
def test_no_file_of_a_manifest_lies_elsewhere(tmp_path: Path, name: str) -> None:
    source = an_ensemble_folder(tmp_path / "source", "3.1")
    manifest = (source / MANIFEST_FILE).read_text()
    member = load_manifest(source).members[0].file
    (source / MANIFEST_FILE).write_text(manifest.replace(f'"{member}"', f'"{name}"'))
    with pytest.raises(Misconfigured, match="garbled: members"):
        install(source, tmp_path / "site")


def test_golden_scores_are_compared_film_by_film() -> None:
    golden = GoldenScores(tolerance=0.03, scores={"a": 0.5, "b": 0.9, "c": 0.1})
    checks = compare_scores(golden, {"a": 0.52, "b": 0.8, "d": 0.3})
    assert [(check.sha256, check.differs) for check in checks] == [("a", False), ("b", True)]
