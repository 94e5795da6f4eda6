"""Archives and exports: what is in them comes in, once, as if it had been dropped by itself."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from db.inbox.ignored_files import ignored_files
from db.migrate import upgrade
from db.session import Database, open_database
from db.tables import Arrival, Image
from db.worklist.queries import reading_order
from ingest.inbox.claim import Claim, leftovers
from readfirst.domain import ImageState
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.integration.ingest.test_archive import BAD, FILM, zipped
from tests.support.files import a_dataset, a_gradient, an_export, dicom_bytes
from tests.support.ingesters import an_ingester
from tests.support.studies import AS_STORED
from tests.support.workers import Worker

Drop = Callable[..., Claim]
#: As if the database did not answer any more in the middle of an archive.
NO_SIXTH = """CREATE TRIGGER no_sixth BEFORE INSERT ON arrivals
WHEN (SELECT count(*) FROM arrivals) = 5 BEGIN SELECT RAISE(ABORT, 'no sixth'); END"""


def arrivals(database: Database) -> dict[str, ImageState]:
    with database.read() as session:
        query = select(Arrival.relative_path, Image.state).join(Image)
        return dict(session.execute(query).all())


def files_of_an_export(folder: Path) -> dict[str, bytes]:
    """The files that a workstation burns: two studies, their index, and a viewer."""
    an_export(folder, FOLDER / "study-01.dcm", FOLDER / "study-02.dcm")
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return files | {"VIEWER/run.exe": b"MZ" * 90, "__MACOSX/._DICOMDIR": b"\0\5\x16\7"}


def test_an_export_in_an_archive_gives_its_films_and_alarms_nobody(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    path = tmp_path / "ward.bin"
    files = files_of_an_export(tmp_path / "export")
    path.write_bytes(zipped(files))
    claim = drop(path)
    worker.take_in_archive(claim)
    seen = arrivals(worker.database)
    films = {f"ward.bin/{name}" for name in files if "PT" in name}
    assert seen == dict.fromkeys(films, ImageState.RECEIVED)
    assert len(films) == 2
    with worker.database.read() as session:
        ignored = ignored_files(session, limit=10)
        assert len(reading_order(session, limit=10, display=AS_STORED)) == 2
    codes = {row.relative_path: row.code for row in ignored}
    assert codes == {
        "ward.bin/DICOMDIR": "dicom_index",
        "ward.bin/VIEWER/run.exe": "not_an_image",
        "ward.bin/__MACOSX/._DICOMDIR": "not_an_image",
    }
    for row in ignored:
        name = row.relative_path.removeprefix("ward.bin/")
        assert worker.store.path(row.sha256).read_bytes() == files[name]
    assert leftovers(worker.settings.inbox_path) == []
    assert list(worker.settings.unpacking_path.iterdir()) == []


def test_an_index_beside_its_images_is_ignored_with_a_reason(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    for name, content in files_of_an_export(tmp_path / "export").items():
        if not name.startswith(("VIEWER", "__")):
            (tmp_path / "one").write_bytes(content)
            worker.take_in(drop(tmp_path / "one", name.replace("/", "-")))
    assert len(arrivals(worker.database)) == 2
    with worker.database.read() as session:
        (index,) = ignored_files(session, limit=10)
    assert "not needed" in index.reason


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_as_a_whole_and_kept(
    name: str, worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    make, code = BAD[name]
    content = make()
    (tmp_path / "study.zip").write_bytes(content)
    worker.take_in_archive(drop(tmp_path / "study.zip"))
    with worker.database.read() as session:
        (image,) = session.scalars(select(Image))
        assert (image.state, image.code) == (ImageState.REFUSED, code)
        assert worker.store.path(image.sha256).read_bytes() == content
        assert ignored_files(session, limit=1) == []
    assert leftovers(worker.settings.inbox_path) == []


def test_an_archive_inside_an_archive_is_refused_and_its_neighbours_are_taken(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    inner = zipped({"film.jpg": FILM})
    (tmp_path / "study.zip").write_bytes(zipped({"inner.zip": inner, "film.jpg": FILM}))
    worker.take_in_archive(drop(tmp_path / "study.zip"))
    assert arrivals(worker.database) == {
        "study.zip/inner.zip": ImageState.REFUSED,
        "study.zip/film.jpg": ImageState.RECEIVED,
    }


def test_a_film_twice_in_an_archive_and_once_beside_it_is_one_image(
    worker: Worker, drop: Drop, tmp_path: Path
) -> None:
    (tmp_path / "study.zip").write_bytes(zipped({"a.jpg": FILM, "b.jpg": FILM}))
    worker.take_in_archive(drop(tmp_path / "study.zip"))
    worker.take_in(drop(FOLDER / "film-01.jpg"))
    assert len(arrivals(worker.database)) == 3
    with worker.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 1


def test_an_ingester_killed_in_the_middle_of_an_archive_repeats_nothing_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(home=tmp_path / "home", settle_seconds=0.1, scan_seconds=1)
    inbox = settings.inbox_path
    inbox.mkdir(parents=True)
    database = open_database(settings.database)
    upgrade(database)
    films = {f"{n}.dcm": dicom_bytes(a_dataset(a_gradient() // (n + 1))) for n in range(30)}
    (tmp_path / "study.part").write_bytes(zipped(films))
    (tmp_path / "study.part").rename(inbox / "study.zip")
    with database.write() as session:
        session.execute(text(NO_SIXTH))
    with an_ingester(settings) as first:
        first.wait_for(lambda: bool(first.lines("intake_waits")))
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
    assert len(arrivals(database)) == 5
    assert len(leftovers(inbox)) == 1
    with database.write() as session:
        session.execute(text("DROP TRIGGER no_sixth"))
    with an_ingester(settings) as second:
        second.wait_for(lambda: bool(second.lines("archive_taken_in")))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Arrival)) == 30
        assert session.scalar(select(func.count()).select_from(Image)) == 30
    assert leftovers(inbox) == []
    assert list(settings.unpacking_path.iterdir()) == []
    database.dispose()
    database.dispose()
