"""A home folder whose path has characters that mean something elsewhere."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.migrate import is_current, upgrade
from db.session import open_database
from readfirst.files.short_socket import make_broker_socket
from readfirst.settings import Settings
from readfirst.settings.home import check_home
from readfirst.tasks.broker import EmbeddedBroker, broker_answers
from readfirst.tasks.celery_app import make_app
from readfirst.tasks.names import TaskName
from tests.support.environments import clean_environment
from tests.support.stack import main_here

NAMES = [
    "plain",
    "home?q=1",
    "home%41pct",
    "home%(here)s",
    "home#part",
    "with space",
    'quote\'s "two"',
    "semi;colon:and,comma",
    "naïve 山",
    "back\\slash",
    "$HOME `x` {y}",
    "[g]*",
    "a@b&c=d+e",
    "new\nline",
]


@pytest.fixture(params=NAMES, ids=ascii)
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    home = tmp_path / str(request.param)
    home.mkdir()
    yield Settings(home=home)
    folder = make_broker_socket(home).parent
    if home not in folder.parents:
        shutil.rmtree(folder)


def test_the_database_lies_in_it(settings: Settings) -> None:
    database = open_database(settings.database)
    upgrade(database)
    assert is_current(database)
    database.dispose()
    assert (settings.home_path / "readfirst.db").is_file()
    assert [path.name for path in settings.home_path.parent.iterdir()] == [settings.home.name]


def test_the_embedded_broker_keeps_its_data_in_it(settings: Settings) -> None:
    broker = EmbeddedBroker(settings)
    broker.start()
    try:
        assert broker_answers(settings)
        app = make_app(settings)
        app.send_task(TaskName.SWEEP.value, queue="housekeeping", retry=False, ignore_result=True)
        app.close()
    finally:
        broker.stop()
    assert (settings.home_path / "valkey" / "appendonlydir").is_dir()
    assert (settings.home_path / "valkey" / "valkey.log").is_file()


def test_two_homes_that_differ_behind_a_sign_have_each_their_own(tmp_path: Path) -> None:
    homes = [Settings(home=tmp_path / name) for name in ("h", "h?a", "h?b", "h#a")]
    assert len({each.database for each in homes}) == len(homes)
    assert len({each.broker for each in homes}) == len(homes)


def test_a_home_whose_name_is_no_text_is_a_wrong_setting() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        check_home(Path("/caf\udce9"))


def run(home: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return main_here(clean_environment() | {"READFIRST_HOME": str(home)} | environment, *command)


def a_file(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_each_thing_that_is_in_the_way_is_one_sentence_of_up(tmp_path: Path) -> None:
    file = a_file(tmp_path / "file")
    a_file(tmp_path / "bad" / "readfirst.db", "no database at all " * 99)
    (tmp_path / "folder" / "readfirst.db").mkdir(parents=True)
    a_file(tmp_path / "logs" / "logs")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cases = {
            "is no folder": run(file, "up"),
            "cannot be made: Not a directory": run(file / "home", "up"),
            "file is not a database": run(tmp_path / "bad", "up"),
            "unable to open database file": run(tmp_path / "folder", "up"),
            "logs": run(tmp_path / "logs", "up", READFIRST_PORT="0"),
            "is not free": run(tmp_path / "port", "up", READFIRST_PORT=port),
            "READFIRST_BROKER_URL is not valid": run(
                tmp_path / "b", "up", READFIRST_BROKER_URL="sentinel://127.0.0.1:26379/0"
            ),
        }
    for words, done in cases.items():
        assert done.returncode in (1, 2), words
        assert "Traceback" not in done.stderr, done.stderr
        assert words in done.stderr.splitlines()[-1], done.stderr
