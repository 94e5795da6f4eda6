"""Logs are bounded, while those who write them keep their files open."""

from pathlib import Path

from cli.common.log_files import move_on
from cli.supervisor import Supervisor
from readfirst.settings import Settings


def test_a_large_log_is_moved_on_and_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "page.log"
    with path.open("ab", buffering=0) as writer:
        for number in range(5):
            writer.write(f"{number}\n".encode() * 50)
            move_on([path, tmp_path / "none.log"], 100, kept=3)
        writer.write(b"last\n")
    assert path.read_text() == "last\n"
    kept = {each.name: each.read_text()[0] for each in tmp_path.glob("page.log.*")}
    assert kept == {"page.log.1": "4", "page.log.2": "3", "page.log.3": "2"}


def test_a_small_log_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.log"
    path.write_text("few")
    move_on([path], 100, kept=3)
    assert [each.name for each in tmp_path.iterdir()] == ["page.log"]


def test_a_log_that_cannot_be_copied_is_emptied_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "page.log"
    path.write_text("x" * 200)
    # In the place of the copy there is a folder, as root writes into every file.
    (tmp_path / "page.log.1").mkdir()
    (tmp_path / "page.log.2").mkdir()
    (tmp_path / "page.log.2" / "full").touch()
    move_on([path], 100, kept=1)
    assert path.stat().st_size == 0


def test_the_supervisor_looks_after_the_log_of_every_part(tmp_path: Path) -> None:
    supervisor = Supervisor(Settings(home=tmp_path, log_megabytes=1, log_files=1))
    logs = [supervisor.log_path(process) for process in supervisor.processes]
    logs.append(tmp_path / "valkey" / "valkey.log")
    for path in logs:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 1024 * 1024)
    supervisor.move_logs_on()
    assert [path.stat().st_size for path in logs] == [0] * len(logs)
    assert all(path.with_name(f"{path.name}.1").stat().st_size for path in logs)
