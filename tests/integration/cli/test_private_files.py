"""Nothing that ReadFirst keeps can be read by another user of the machine."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from cli import app
from readfirst.files.private_files import PRIVATE_UMASK
from readfirst.samples import sample_files
from tests.support.requirements import require
from tests.support.small_ensemble import write_small_ensemble
from tests.support.stack import readfirst, running, wait_for

#: Nobody, on every Linux.
ANOTHER_USER = 65534
OPEN_UMASK = 0o022


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can go into, unlike those of pytest."""
    with TemporaryDirectory(prefix="readfirst-private-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture
def environment(open_folder: Path) -> Iterator[dict[str, str]]:
    """The variables of a site that starts with an open umask."""
    before = os.umask(OPEN_UMASK)
    yield os.environ | {
        "READFIRST_HOME": str(open_folder / "home"),
        "READFIRST_INBOX": str(open_folder / "inbox"),
        "READFIRST_DATABASE_URL": "",
        "READFIRST_PORT": "0",
        "READFIRST_RECEIVE": "true",
        "READFIRST_RECEIVE_PORT": "0",
    }
    os.umask(before)


def read_as_another(path: Path) -> bool:
    """Return whether another user reads a file. Only root can ask."""
    command = ["cat", str(path)]
    return not subprocess.run(
        command, user=ANOTHER_USER, group=ANOTHER_USER, extra_groups=[], capture_output=True
    ).returncode


def rights_of_others(home: Path) -> dict[str, str]:
    """The files and folders of a home, and it, that others have a right to, with their modes."""
    modes = {path: path.lstat().st_mode for path in (home, *home.rglob("*"))}
    return {
        str(path): oct(stat.S_IMODE(mode))
        for path, mode in modes.items()
        if mode & PRIVATE_UMASK and not stat.S_ISLNK(mode)
    }


@pytest.mark.stack
@pytest.mark.slow
def test_what_the_whole_stack_keeps_is_for_its_own_user(
    open_folder: Path, environment: dict[str, str]
) -> None:
    home, inbox = open_folder / "home", open_folder / "inbox"
    inbox.mkdir()
    inbox.chmod(0o777)
    write_small_ensemble(home / "ensembles")
    for path in (home, *home.rglob("*")):
        path.chmod(path.stat().st_mode & ~PRIVATE_UMASK)
    with running([sys.executable, "-m", "readfirst", "up"], environment):
        wait_for(lambda: (home / "logs" / "assess.log").exists(), open_folder)
        shutil.copyfile(sample_files()[0], inbox / "film.dcm")
        wait_for(lambda: any(home.glob("prepared/*/*/*.png")), home / "logs")
        wait_for(lambda: any(home.glob("valkey/**/*.aof")), home / "logs")
        names = {path.name for path in home.rglob("*")}
        assert {"readfirst.db", "readfirst.db-wal", "valkey.log", "page.log", "up.lock"} <= names
        assert rights_of_others(home) == {}
        assert rights_of_others(inbox / ".readfirst") == {}
        # What others drop into stays as the site has it.
        assert stat.S_IMODE(inbox.stat().st_mode) == 0o777
        if os.geteuid() == 0:
            files = [path for path in home.rglob("*") if path.is_file()]
            # In a home that is open by mistake each file is still shut.
            home.chmod(0o755)
            assert [str(path) for path in files if read_as_another(path)] == []


def test_the_modes_mean_what_they_say(open_folder: Path) -> None:
    require("another user", os.geteuid() == 0)
    for mode, is_read in ((0o644, True), (0o600, False)):
        (open_folder / "file").touch()
        (open_folder / "file").chmod(mode)
        assert read_as_another(open_folder / "file") is is_read


def test_every_command_keeps_what_it_makes_to_itself(
    open_folder: Path, environment: dict[str, str]
) -> None:
    for command in (["worklist"], ["doctor"], ["inbox"], ["accounts", "list"]):
        home = open_folder / f"home-{command[0]}"
        readfirst(environment | {"READFIRST_HOME": str(home)}, *command)
        assert home.is_dir()
        assert rights_of_others(home) == {}, command


def test_an_original_is_written_out_as_the_user_s_own_umask_says(
    open_folder: Path, environment: dict[str, str]
) -> None:
    script = (
        "import os; from pathlib import Path; from cli.refused import _opened_new;"
        "from readfirst.files.private_files import keep_private; keep_private();"
        "target = _opened_new(Path('film.dcm')); target.__enter__().write(b'x');"
        "target.__exit__(None, None, None); Path('private').touch()"
    )
    subprocess.run([sys.executable, "-c", script], cwd=open_folder, check=True, env=environment)
    modes = [stat.S_IMODE((open_folder / name).stat().st_mode) for name in ("film.dcm", "private")]
    assert modes == [0o644, 0o600]


def test_the_doctor_warns_of_an_open_home_and_shuts_it_when_asked(
    open_folder: Path, environment: dict[str, str]
) -> None:
    home = open_folder / "home"
    readfirst(environment, "worklist")
    (home / "prepared" / "thumbnail").mkdir(parents=True)
    (home / "prepared" / "thumbnail" / "film.png").write_bytes(b"x")
    outside = open_folder / "film.txt"
    outside.touch()
    (home / "link").symlink_to(outside)
    for path in (home, home / "readfirst.db"):
        path.chmod(path.stat().st_mode | 0o044)
    (finding,) = rights(environment)
    assert "--fix-rights" in finding["warning"]
    started = readfirst(environment | {"READFIRST_BROKER_URL": "redis://127.0.0.1:1"}, "inbox")
    assert started.returncode == 0
    (finding,) = rights(environment, "--fix-rights")
    assert finding["warning"] == ""
    assert rights_of_others(home) == {}
    # A link leads elsewhere, which is nobody's business.
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


def test_others_still_get_to_a_shared_inbox_in_the_home(
    open_folder: Path, environment: dict[str, str]
) -> None:
    home = open_folder / "home"
    inbox = home / "inbox"
    environment["READFIRST_INBOX"] = str(inbox)
    readfirst(environment, "worklist")
    inbox.mkdir(exist_ok=True)
    inbox.chmod(0o777)
    home.chmod(0o755)
    (finding,) = rights(environment, "--fix-rights")
    assert finding["warning"] == ""
    assert stat.S_IMODE(home.stat().st_mode) == 0o711
    assert stat.S_IMODE(inbox.stat().st_mode) == 0o777
    if os.geteuid() == 0:
        drop = ["cp", "/etc/hostname", str(inbox / "dropped")]
        subprocess.run(drop, user=ANOTHER_USER, group=ANOTHER_USER, extra_groups=[], check=True)
        assert not read_as_another(home / "readfirst.db")


def rights(environment: dict[str, str], *options: str) -> list[dict[str, str]]:
    """The doctor's findings about rights."""
    answer = CliRunner().invoke(app, ["doctor", "--json", *options], env=environment)
    return [row for row in json.loads(answer.stdout) if row["name"] == "rights"]
