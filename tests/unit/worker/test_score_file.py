"""A file of results, which a later run goes on with."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.manifest import Manifest, available_ensembles, load_manifest, shipped_version
from readfirst.errors import Misconfigured, Unavailable
from readfirst.printable import one_line
from worker.scoring.offline_scoring import FileScore
from worker.scoring.score_file import ScoreFile, rows_of

FORMS = ("results.jsonl", "results.csv")
THRESHOLD = 0.5


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folders = available_ensembles(tmp_path_factory.mktemp("none"))
    return load_manifest(folders[shipped_version()])


@pytest.fixture(params=FORMS)
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return tmp_path / str(request.param)


def opened(
    path: Path, manifest: Manifest, version: str = "1", threshold: float = THRESHOLD
) -> ScoreFile:
    return ScoreFile(path, rows_of(path, manifest), version, threshold)


def a_score(path: Path, version: str = "1") -> FileScore:
    return FileScore(
        path=one_line(str(path)),
        status="scored",
        probability=1 / 3,
        flagged=False,
        threshold=THRESHOLD,
        ensemble=version,
        members={"vgg16": 1 / 3},
        reason='with, a "comma"\nand two lines',
    )


def films(folder: Path, *names: str) -> list[Path]:
    return [folder / "films" / name for name in names or ("a.dcm", "b.dcm", "c.dcm")]


def run(path: Path, manifest: Manifest, files: Sequence[Path], most: int = 99) -> list[Path]:
    """Write results for as many files as are left, up to the most; those that got one."""
    with opened(path, manifest) as target:
        left = target.left(files)[:most]
        for file in left:
            target.add(a_score(file))
    return left


def test_a_second_run_goes_on_and_scores_nothing_twice(path: Path, manifest: Manifest) -> None:
    files = films(path.parent)
    assert run(path, manifest, files, most=2) == files[:2]
    assert run(path, manifest, files) == files[2:]
    before = path.read_bytes()
    assert run(path, manifest, [*files, *files]) == []
    assert path.read_bytes() == before
    lines = before.decode().splitlines()
    assert len(lines) == 3 + (path.suffix == ".csv")


def test_a_half_last_line_is_mended_wherever_it_was_cut(path: Path, manifest: Manifest) -> None:
    files = films(path.parent)
    run(path, manifest, files)
    whole = path.read_bytes()
    begins = [0, *(at + 1 for at, byte in enumerate(whole) if byte == ord("\n"))]
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        run(path, manifest, files)
        assert path.read_bytes() == whole, f"cut to {size} of {len(whole)}, lines at {begins}"


def test_paths_are_absolute_so_that_each_spelling_is_the_same_file(
    path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path.parent / "films").mkdir()
    monkeypatch.chdir(path.parent)
    assert len(run(path, manifest, [Path("films/a.dcm"), Path("./films/a.dcm")])) == 1
    monkeypatch.chdir(path.parent / "films")
    assert run(path, manifest, [Path("a.dcm"), path.parent / "films" / "a.dcm"]) == []
    assert run(path, manifest, [Path("films/a.dcm")]) != [], "another folder's file"


def test_names_that_are_written_alike_are_two_files(path: Path, manifest: Manifest) -> None:
    files = films(path.parent, os.fsdecode(b"caf\xe9.dcm"), r"caf\xe9.dcm")
    assert run(path, manifest, files, most=1) == files[:1]
    assert run(path, manifest, files) == files[1:]
    assert run(path, manifest, files) == []


def test_names_of_every_kind_are_known_again(path: Path, manifest: Manifest) -> None:
    names = ["a,b.dcm", 'a"b.dcm', "a\nb.dcm", "a\rb.dcm", "=x.dcm", "山田.dcm", "\x1b[31m.dcm"]
    files = films(path.parent, *names)
    assert run(path, manifest, files) == files
    assert run(path, manifest, files) == []
    assert b"\x1b" not in path.read_bytes()


def test_the_file_itself_is_not_scored(path: Path, manifest: Manifest) -> None:
    path.touch()
    assert run(path, manifest, [path, *films(path.parent)]) == films(path.parent)


def test_another_ensemble_says_so_and_changes_nothing(path: Path, manifest: Manifest) -> None:
    run(path, manifest, films(path.parent))
    before = path.read_bytes()
    with pytest.raises(Misconfigured, match=r"holds results of ensemble 1, and this run is of 2"):
        opened(path, manifest, version="2")
    with pytest.raises(Misconfigured, match="READFIRST_PREVALENCE"):
        opened(path, manifest, threshold=0.4)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"my notes",
        b"my notes\n",
        b"name,age\r\nx,1\r\n",
        b'{"a": 1}\n',
        b'{"path": 1}\n[]\n',
        b"\0" * 100,
        b"\n\n",
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(
    path: Path, manifest: Manifest, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match="is no result"):
        opened(path, manifest)
    assert path.read_bytes() == content


def test_a_garbled_line_is_named(path: Path, manifest: Manifest) -> None:
    run(path, manifest, films(path.parent))
    lines = path.read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:2], b"garbled\xff\n", *lines[2:]])
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match="line 3 is no result"):
        opened(path, manifest)
    assert path.read_bytes() == content


def test_two_runs_do_not_write_into_one_file(path: Path, manifest: Manifest) -> None:
    with opened(path, manifest), pytest.raises(Misconfigured, match="another run"):
        opened(path, manifest)
    run(path, manifest, films(path.parent))


def test_a_place_that_cannot_be_written_is_named(path: Path, manifest: Manifest) -> None:
    with pytest.raises(Misconfigured, match="No such file or directory"):
        opened(path.parent / "none" / path.name, manifest)
    path.mkdir()
    with pytest.raises(Misconfigured, match="Is a directory"):
        opened(path, manifest)


@pytest.mark.parametrize("name", ["results", "results.json", "results.xlsx"])
def test_another_ending_is_a_wrong_command(tmp_path: Path, manifest: Manifest, name: str) -> None:
    with pytest.raises(Misconfigured, match=r"\.jsonl"):
        rows_of(tmp_path / name, manifest)


def test_a_full_disk_keeps_what_is_written(
    path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = films(path.parent)
    run(path, manifest, files[:1])
    before = path.read_bytes()
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:-10])

    with opened(path, manifest) as target:
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(Unavailable, match="No space left"):
            target.add(a_score(files[1]))
        monkeypatch.undo()
        assert path.read_bytes() == before
        target.add(a_score(files[1]))
    assert run(path, manifest, files) == files[2:]


def test_json_lines_have_the_fields_of_a_result(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / "results.ndjson"
    run(path, manifest, films(tmp_path))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows[0]["probability"] == 1 / 3
    assert set(rows[0]) == set(FileScore.__dataclass_fields__)
