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

from db.inbox.inbox_issues import inbox_issues
from db.migrate import upgrade
from db.session import Database, open_database
from db.tables import Arrival, Image
from readfirst.settings import Settings
from tests.support.files import a_dicom_file
from tests.support.ingesters import IngesterForks, an_ingester, ingester_forks
from tests.support.platforms import needs_linux
from tests.support.requirements import require


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


@pytest.fixture(scope="module")
def forks() -> Iterator[IngesterForks]:
    with ingester_forks() as opened:
        yield opened


def arrivals(database: Database) -> dict[str, str]:
    """The files that came in: path, and state of the image."""
    with database.read() as session:
        query = select(Arrival.relative_path, Image.state).join(Image)
        return {path: state.value for path, state in session.execute(query)}


def left(database: Database) -> dict[str, str]:
    """The issues of the inbox: path, and code."""
    with database.read() as session:
        return {notice.relative_path: notice.code for notice in inbox_issues(session)}


def test_everything_a_drop_folder_sees(
    settings: Settings, database: Database, inbox: Path, forks: IngesterForks
) -> None:
    """A single ingester, and in front of it whatever people and machines put into such a folder."""
    film = a_dicom_file(settings.home_path / "film").read_bytes()
    # However long somebody takes to write a file.
    patient = settings.model_copy(update={"incomplete_seconds": 3600.0})
    with an_ingester(patient, forks) as ingester:
        names = names_of_all_kinds(inbox)
        for number, path in enumerate(names):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(film + bytes(2 * number))  # trailing zeros: other content
        names[0].chmod(0o444)
        with (inbox / "slow.dcm").open("wb", buffering=0) as slow:
            for part in range(4):
                slow.write(film[part * len(film) // 4 : (part + 1) * len(film) // 4])
                # What is dropped now is taken, so the ingester has looked at the slow one, too.
                (inbox / f"beside {part}.dcm").write_bytes(film + bytes(100 + 2 * part))
                ingester.wait_for(lambda: f"beside {part}.dcm" in arrivals(database))  # noqa: B023
        ingester.wait_for(lambda: len(arrivals(database)) == len(names) + 5)
    seen = arrivals(database)
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
    settings: Settings, database: Database, inbox: Path, forks: IngesterForks, tmp_path: Path
) -> None:
    secret = a_dicom_file(tmp_path / "secret.dcm")
    (inbox / "link.dcm").symlink_to(secret)
    (inbox / "folder").symlink_to(tmp_path, target_is_directory=True)
    (inbox / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(inbox / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(inbox)  # a socket's path must be short
        listener.bind("socket.dcm")
    with an_ingester(settings, forks) as ingester:
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
        (line,) = ingester.lines("left_in_inbox")
        assert (line["link"], line["special_file"]) == (3, 2)
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
        for name in ("first", "second", "third"):
            # Links are found by scans alone.
            (inbox / name).symlink_to(inbox)
            ingester.wait_for(lambda: name in left(database))  # noqa: B023
            (inbox / name).unlink()
        assert sum(sum_of(line) for line in ingester.lines("left_in_inbox")) == 3
        closed.chmod(0o400)
        (inbox / "shut").chmod(0o755)
        (inbox / "fixed").chmod(0o755)
        ingester.wait_for(lambda: len(arrivals(database)) == 3)
        ingester.wait_for(lambda: left(database) == {})
        assert "Doe" not in (settings.home_path / "ingester.log").read_text()


def sum_of(line: dict[str, object]) -> int:
    return sum(int(str(line.get(code, 0))) for code in ("not_readable", "not_movable"))


def test_an_inbox_that_vanishes_and_comes_back_needs_no_new_start(
    settings: Settings, database: Database, inbox: Path, forks: IngesterForks
) -> None:
    away = inbox.with_name("away")
    with an_ingester(settings, forks) as ingester:
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
    settings: Settings, database: Database, inbox: Path, forks: IngesterForks, small_disk: Path
) -> None:
    settings = settings.model_copy(update={"min_free_megabytes": 0})
    on_disk = small_disk / "films"
    on_disk.mkdir()
    with an_ingester(settings, forks) as ingester:
        subprocess.run(["mount", "--bind", str(on_disk), str(inbox)], check=True)
        try:
            a_dicom_file(inbox / "mounted.dcm")
            ingester.wait_for(lambda: len(arrivals(database)) == 1)
        finally:
            subprocess.run(["umount", "--lazy", str(inbox)], check=True)
        a_dicom_file(inbox / "below.dcm")
        ingester.wait_for(lambda: len(arrivals(database)) == 2)


@needs_linux
def test_more_events_than_the_kernel_holds_lose_no_file(
    settings: Settings, database: Database, inbox: Path, forks: IngesterForks
) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    require("short event queue", most <= 100_000)
    with an_ingester(settings, forks) as ingester:
        # Nobody takes events.
        ingester.stand_still()
        for _ in range(most // 2 + 1):  # equal events that follow each other count once
            for name in (".one", ".two"):
                (inbox / name).touch()
        a_dicom_file(inbox / "lost.dcm")
        ingester.process.resume()
        ingester.wait_for(lambda: len(arrivals(database)) == 1)


def test_polling_finds_files_without_any_event(
    settings: Settings, database: Database, inbox: Path, forks: IngesterForks
) -> None:
    patient = settings.model_copy(update={"watch": "polling", "scan_seconds": 600.0})
    with an_ingester(patient, forks) as ingester:
        (line,) = ingester.lines("watching")
        assert line["polling"]
        film = a_dicom_file(inbox / "film.dcm").read_bytes()
        (inbox / "cut.dcm").write_bytes(film[:-50])
        wanted = {"film.dcm": "received", "cut.dcm": "refused"}
        ingester.wait_for(lambda: arrivals(database) == wanted)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 2
