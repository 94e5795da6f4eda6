"""Nothing that ReadFirst keeps can be read by another user of the machine."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from tests.support.private_homes import (
    ANOTHER_USER,
    an_open_folder,
    read_as_another,
    rights_of_others,
)
from tests.support.requirements import require
from tests.support.stack import main_here, readfirst


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can go into, and the umask of a site that lets them."""
    with an_open_folder() as folder:
        yield folder


@pytest.fixture
def environment(open_folder: Path) -> dict[str, str]:
    return os.environ | {
        "READFIRST_HOME": str(open_folder / "home"),
        "READFIRST_INBOX": str(open_folder / "inbox"),
        "READFIRST_DATABASE_URL": "",
        "READFIRST_PORT": "0",
        "READFIRST_RECEIVE": "true",
        "READFIRST_RECEIVE_PORT": "0",
    }


def test_the_modes_mean_what_they_say(open_folder: Path) -> None:
    require("another user", os.geteuid() == 0)
    for mode, is_read in ((0o644, True), (0o600, False)):
        (open_folder / "file").touch()
        (open_folder / "file").chmod(mode)
        assert bool(read_as_another(open_folder / "file")) is is_read


def test_every_command_keeps_what_it_makes_to_itself(
    open_folder: Path, environment: dict[str, str]
) -> None:
    for run, command in (
        (readfirst, ["worklist"]),
        (main_here, ["doctor"]),
        (main_here, ["inbox"]),
        (main_here, ["accounts", "list"]),
    ):
        home = open_folder / f"home-{command[0]}"
        run(environment | {"READFIRST_HOME": str(home)}, *command)
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
    main_here(environment, "worklist")
    (home / "prepared" / "thumbnail").mkdir(parents=True)
    (home / "prepared" / "thumbnail" / "film.png").write_bytes(b"x")
    outside = open_folder / "film.txt"
    outside.touch()
    (home / "link").symlink_to(outside)
    for path in (home, home / "readfirst.db"):
        path.chmod(path.stat().st_mode | 0o044)
    (finding,) = rights(environment)
    assert "--fix-rights" in finding["warning"]
    started = main_here(environment | {"READFIRST_BROKER_URL": "redis://127.0.0.1:1"}, "inbox")
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
    main_here(environment, "worklist")
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
