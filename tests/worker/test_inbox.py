"""The drop folder as departments treat it, before a real ingester in a process of its own."""

import os
import shutil
import socket
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.migrate import upgrade
from db.notices import inbox_notices
from db.session import Database, open_database
from db.tables import Arrival, Image
from readfirst.settings import Settings
from tests.ingest.builders import a_dicom_file
from tests.worker.processes import Ingester, an_ingester


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """On SQLite: what lies in a folder is the same to both databases."""
    monkeypatch.chdir(tmp_path)
    return Settings(
        home=tmp_path / "home", settle_seconds=0.2, incomplete_seconds=0.6, scan_seconds=1.0
    )


@pytest.fixture
def inbox(settings: Settings) -> Path:
    settings.inbox_path.mkdir(parents=True)
    return settings.inbox_path


@pytest.fixture
def database(settings: Settings, inbox: Path) -> Iterator[Database]:
    opened = open_database(settings.database)
    upgrade(opened)
    yield opened
    opened.dispose()


def arrivals(database: Database) -> dict[str, str]:
    """What came in: its path, and the state of its image."""
    with database.read() as session:
        query = select(Arrival.relative_path, Image.state).join(Image)
        return {path: state.value for path, state in session.execute(query)}


def left(database: Database) -> dict[str, str]:
    """What cannot be taken: its path, and the code."""
    with database.read() as session:
        return {notice.relative_path: notice.code for notice in inbox_notices(session)}


def test_everything_a_drop_folder_sees(settings: Settings, database: Database, inbox: Path) -> None:
    """One ingester, and in front of it whatever people and machines put into such a folder."""
    film = a_dicom_file(settings.home_path / "film").read_bytes()
    with an_ingester(settings) as ingester:
        names = names_of_all_kinds(inbox)
        for number, path in enumerate(names):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(film + bytes(2 * number))  # trailing zeros: other content
        names[0].chmod(0o444)
        (inbox / "cut.dcm").write_bytes(film[:-50])
        with (inbox / "slow.dcm").open("wb", buffering=0) as slow:
            for start in range(0, len(film), len(film) // 4):
                slow.write(film[start : start + len(film) // 4])
                ingester.wait_for(lambda: True)
                os.utime(inbox / "slow.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == len(names) + 2)
    seen = arrivals(database)
    assert seen.pop("cut.dcm") == "refused"
    assert set(seen.values()) == {"received"}
    assert {"FILM.DCM", "film.dcm", "a/b/c/d/e/film 1.dcm", "not\ufffdtext\ufffd"} <= seen.keys()
    assert {unicodedata.normalize(form, "Übergabe/é") for form in ("NFC", "NFD")} <= seen.keys()
    assert "new\ufffdline.dcm" in seen
    assert [path for path in inbox.rglob("*") if path.is_file() and path.name != "lock"] == []


def names_of_all_kinds(inbox: Path) -> list[Path]:
    forms = [unicodedata.normalize(form, "Übergabe/é") for form in ("NFC", "NFD")]
    plain = ["film.dcm", "FILM.DCM", "a/b/c/d/e/film 1.dcm", "new\nline.dcm", "' \"$(x) [/b].dcm"]
    raw = Path(os.fsdecode(os.fsencode(inbox) + b"/not\xfftext\xfe"))
    return [*(inbox / name for name in plain + forms), raw]


def test_what_cannot_be_taken_is_told_once_and_never_opened(
    settings: Settings, database: Database, inbox: Path, tmp_path: Path
) -> None:
    secret = a_dicom_file(tmp_path / "secret.dcm")
    (inbox / "link.dcm").symlink_to(secret)
    (inbox / "folder").symlink_to(tmp_path, target_is_directory=True)
    (inbox / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(inbox / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(inbox)  # a socket's path must be short
        listener.bind("socket.dcm")
    with an_ingester(settings) as ingester:
        wanted = {
            "link.dcm": "link",
            "folder": "link",
            "broken": "link",
            "pipe.dcm": "special_file",
            "socket.dcm": "special_file",
        }
        ingester.wait_for(lambda: left(database) == wanted)
        a_dicom_file(inbox / "film.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == 1)
        (inbox / "link.dcm").unlink()
        ingester.wait_for(lambda: "link.dcm" not in left(database))
        (told,) = ingester.lines("left_in_inbox")
        assert (told["link"], told["special_file"]) == (3, 2)
    assert list(arrivals(database)) == ["film.dcm"]
    assert secret.exists()


def test_permissions_that_are_missing_are_told_once_and_waited_for(
    settings: Settings, database: Database, inbox: Path
) -> None:
    closed = a_dicom_file(inbox / "Doe^Jane.dcm")
    closed.chmod(0)
    (inbox / "shut").mkdir()
    a_dicom_file(inbox / "shut" / "film.dcm")
    (inbox / "shut").chmod(0)
    (inbox / "fixed").mkdir()
    a_dicom_file(inbox / "fixed" / "film.dcm")
    (inbox / "fixed").chmod(0o555)
    with an_ingester(settings, as_root=False) as ingester:
        wanted = {
            "Doe^Jane.dcm": "not_readable",
            "shut": "not_readable",
            "fixed/film.dcm": "not_movable",
        }
        ingester.wait_for(lambda: left(database) == wanted)
        scans_later = time_of(ingester) + 3 * settings.scan_seconds
        ingester.wait_for(lambda: time_of(ingester) >= scans_later)
        assert sum(sum_of(line) for line in ingester.lines("left_in_inbox")) == 3
        closed.chmod(0o400)
        (inbox / "shut").chmod(0o755)
        (inbox / "fixed").chmod(0o755)
        ingester.wait_for(lambda: len(arrivals(database)) == 3)
        ingester.wait_for(lambda: left(database) == {})
        assert "Doe" not in (settings.home_path / "ingester.log").read_text()


def time_of(ingester: Ingester) -> float:
    return sum(os.times()[4:])


def sum_of(line: dict[str, object]) -> int:
    return sum(int(str(line.get(code, 0))) for code in ("not_readable", "not_movable"))


def test_an_inbox_that_vanishes_and_comes_back_needs_no_new_start(
    settings: Settings, database: Database, inbox: Path
) -> None:
    away = inbox.with_name("away")
    with an_ingester(settings) as ingester:
        a_dicom_file(inbox / "before.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == 1)
        inbox.rename(away)
        ingester.wait_for(lambda: left(database) == {".": "inbox_gone"})
        a_dicom_file(away / "meanwhile.dcm")
        assert not inbox.exists()
        away.rename(inbox)
        ingester.wait_for(lambda: len(arrivals(database)) == 2)
        inbox.rename(away)
        inbox.mkdir()  # another folder under the same name, as when something is mounted there
        a_dicom_file(inbox / "elsewhere.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == 3)
        assert len(ingester.lines("inbox_gone")) == len(ingester.lines("inbox_is_back")) >= 1
        ingester.wait_for(lambda: left(database) == {})
    shutil.rmtree(away)


def test_a_mount_that_comes_and_goes_is_followed(
    settings: Settings, database: Database, inbox: Path, small_disk: Path
) -> None:
    settings = settings.model_copy(update={"min_free_megabytes": 0})
    on_disk = small_disk / "films"
    on_disk.mkdir()
    with an_ingester(settings) as ingester:
        subprocess.run(["mount", "--bind", str(on_disk), str(inbox)], check=True)
        try:
            a_dicom_file(inbox / "mounted.dcm")
            ingester.wait_for(lambda: len(arrivals(database)) == 1)
        finally:
            subprocess.run(["umount", "--lazy", str(inbox)], check=True)
        a_dicom_file(inbox / "below.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == 2)


def test_more_events_than_the_kernel_holds_lose_no_file(
    settings: Settings, database: Database, inbox: Path
) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip("this kernel holds too many events to be filled quickly")
    with an_ingester(settings) as ingester:
        os.kill(ingester.process.pid, 19)  # SIGSTOP: nobody takes events
        for _ in range(most // 2 + 1):  # equal events that follow each other count once
            for name in (".one", ".two"):
                (inbox / name).touch()
        a_dicom_file(inbox / "lost.dcm")
        os.kill(ingester.process.pid, 18)
        ingester.wait_for(lambda: len(arrivals(database)) == 1)


def test_polling_finds_files_without_any_event(
    settings: Settings, database: Database, inbox: Path
) -> None:
    patient = settings.model_copy(update={"watch": "polling", "scan_seconds": 600.0})
    with an_ingester(patient) as ingester:
        (line,) = ingester.lines("watching")
        assert line["polling"]
        a_dicom_file(inbox / "film.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == 1)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 1
