"""`readfirst results write`: results of real films into folders."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from cli.common.database import TERMINAL
from db.access.audit import entries
from ingest.inbox.claim import Claim
from readfirst.results.reasons import NO_RESULT_SENTENCES, NoResultCode
from readfirst.results.values import ResultKind
from readfirst.samples import FOLDER
from results.folder import write_results
from tests.support.scored_results import (
    run,
    scored,
    services_of,
)
from tests.support.workers import Worker

Drop = Callable[..., Claim]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The one query of its own has a test on both databases."""
    return f"sqlite:///{tmp_path / 'readfirst.db'}"


def test_the_command_writes_what_it_says_and_notes_it(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.take_in(drop(FOLDER / "study-03.dcm"))
    worker.score_all()
    target = tmp_path / "results"
    code, out, err = run(worker, monkeypatch, "--since", "1h", "--all", str(target), "--json")
    assert code == 0
    listed = json.loads(out)
    assert [each["kind"] for each in listed["written"]] == ["sr", "kos", "sr"]
    assert [each["code"] for each in listed["missing"]] == ["not_flagged"]
    for each in listed["written"]:
        dataset = dcmread(each["path"])
        assert dataset.SOPInstanceUID == each["sop_instance_uid"]
        assert Path(each["path"]).parent.name == each["study_instance_uid"]
    assert len(list(target.rglob("*"))) == 2 + 3, "nothing else lies there"
    with worker.database.read() as session:
        noted = [entry for entry in entries(session, limit=9) if entry.action == "results_written"]
    written = {each["sop_instance_uid"] for each in listed["written"]}
    assert {uid for entry in noted for _, uid in entry.detail["objects"]} == written
    assert "Research software" in err
    for name in ("Beispiel", "Jonas", "Exemple", "DEMO-0010"):
        assert name not in out + err + str(noted)


def test_only_flagged_studies_are_written_unless_all_are_wanted(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.take_in(drop(FOLDER / "study-02.dcm"))
    worker.take_in(drop(FOLDER / "study-03.dcm"))
    worker.score_all()
    code, out, _ = run(worker, monkeypatch, "--since", "1h", str(tmp_path / "out"), "--json")
    assert code == 0
    assert len({each["study_instance_uid"] for each in json.loads(out)["written"]}) == 1


def test_the_same_again_takes_the_place_of_itself(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    target = tmp_path / "results"
    contents = []
    for _ in range(2):
        assert run(worker, monkeypatch, uid, str(target))[0] == 0
        contents.append({path: path.read_bytes() for path in target.rglob("*.dcm")})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 2


def test_what_cannot_be_written_is_said(
    worker: Worker, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = scored(worker, drop, FOLDER / "film-02.jpg")
    code, _, err = run(worker, monkeypatch, uid, str(tmp_path / "out"))
    assert code == 1
    assert NO_RESULT_SENTENCES[NoResultCode.PICTURE] in err
    for arguments in (
        [str(tmp_path)],
        ["--since", "1h", "--kind", "seg", str(tmp_path)],
        [uid, "--since", "1h", str(tmp_path)],
        [uid, "--all", str(tmp_path)],
    ):
        code, _, _ = run(worker, monkeypatch, *arguments)
        assert code != 0
    assert not (tmp_path / "out").exists()


def test_it_is_noted_before_it_is_written(worker: Worker, drop: Drop, tmp_path: Path) -> None:
    uid = scored(worker, drop, FOLDER / "study-02.dcm")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    with pytest.raises(OSError, match="Not a directory"):
        write_results(
            services_of(worker), TERMINAL, uid, [ResultKind.SR], in_the_way, by="somebody"
        )
    with worker.database.read() as session:
        assert entries(session, limit=1)[0].action == "results_written"
