from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from laboratory.data.dataset import Subset, labels_of, load_images, read_folder, split
from readfirst.errors import Misconfigured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty sick and forty healthy children with two films each, and one film twice."""
    generator = np.random.default_rng(0)
    names = [f"PNEUMONIA/person{p}_{c}_{i}.jpeg" for p in range(40) for i, c in enumerate(CAUSES)]
    names += [
        f"NORMAL/{'NORMAL2-' * (p % 2)}IM-{p:04}-000{i}.jpeg" for p in range(40) for i in (1, 2)
    ]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (20, 20), dtype=np.uint8)).save(path)
    twin = tmp_path / "NORMAL" / "copy of a film.jpeg"
    twin.write_bytes((tmp_path / names[-1]).read_bytes())
    return tmp_path


CAUSES = ("bacteria", "virus")


def test_names_tell_patient_and_group(folder: Path) -> None:
    films = {film.path.name: film for film in read_folder(folder)}
    both = [films[f"person7_{cause}_{i}.jpeg"] for i, cause in enumerate(CAUSES)]
    assert {film.patient for film in both} == {"person7"}
    assert [film.group for film in both] == ["bacterial", "viral"]
    assert films["IM-0002-0001.jpeg"].patient != films["NORMAL2-IM-0003-0001.jpeg"].patient


def test_the_same_content_counts_once(folder: Path) -> None:
    assert len(read_folder(folder)) == 160


def test_no_patient_stands_in_two_parts(folder: Path) -> None:
    parts = split(read_folder(folder), seed=3)
    patients = [{film.patient for film in films} for films in parts.values()]
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
    assert sum(len(films) for films in parts.values()) == 160


def test_the_split_is_alike_in_every_group_and_reproducible(folder: Path) -> None:
    films = read_folder(folder)
    parts = split(films, seed=3)
    assert parts == split(films, seed=3)
    assert parts != split(films, seed=4)
    for part in (Subset.TUNE, Subset.HELD_OUT):
        groups = [film.group for film in parts[part]]
        assert groups.count("normal-1") == groups.count("normal-2") == 6


def test_a_folder_of_another_layout_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no folder NORMAL"):
        read_folder(tmp_path)


def test_the_real_training_set_is_split_by_patient(training_data: Path) -> None:
    films = read_folder(training_data / "train")
    assert 5190 <= len(films) < 5216
    parts = split(films, seed=1)
    patients = [{film.patient for film in part} for part in parts.values()]
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
    sick = [labels_of(part).mean() for part in parts.values()]
    assert max(sick) - min(sick) < 0.05
    assert load_images(films[:2]).shape == (2, 224, 224)


def test_hidden_files_are_no_films(folder: Path) -> None:
    films = read_folder(folder)
    # What macOS writes beside each file of a disk that is not its own.
    (folder / "NORMAL" / "._IM-0000-0001.jpeg").write_bytes(b"Mac OS X")
    assert read_folder(folder) == films
