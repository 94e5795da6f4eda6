"""`make run` and `make test` find a Python, or say what to do: scripts/venv.sh."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "venv.sh"
BASE = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"

#: Programs called `python…`, and what each of them finds as sitecustomize.py when it starts.
RUNS = ""
TOO_OLD = "import sys; sys.version_info = (3, 9, 2)"
TOO_NEW = "import sys; sys.version_info = (3, 99, 0)"
OTHER = "import sys; sys.version_info = (3, 12, 99)"
WITHOUT_VENV = "import sys; sys.modules['ensurepip'] = None; sys.version_info = (3, 13, 5)"
ON_INTEL_MAC = (
    "import platform, sys, venv; sys.platform = 'darwin'; platform.machine = lambda: 'x86_64'"
)
WITHOUT_GLIBC = "import sysconfig; sysconfig.get_config_var = lambda _: 'x86_64-pc-linux-musl'"

#: Virtual environments are made for good, but with a quick pip that does nothing.
PACKAGES = Path("lib") / BASE.name / "site-packages"
PROGRAM = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    {python} -m venv --without-pip "$3" && : > "$3/{packages}/pip.py"
else
    exec env PYTHONPATH={found} {python} "$@"
fi
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """The only folder in which commands are looked for: no Python in it yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for command in ("sh", "rm", "env"):
        path = shutil.which(command)
        assert path is not None
        (folder / command).symlink_to(path)
    return folder


@pytest.fixture
def make_venv(tmp_path: Path, bin_folder: Path) -> Run:
    """Runs the script for tmp_path/venv, with PYTHON as it is given."""

    def run(python: str = "") -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": str(bin_folder), "PYTHON": python}
        command = ["sh", str(SCRIPT), str(tmp_path / "venv")]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run


def install(folder: Path, name: str, custom: str) -> Path:
    """A Python of that name that takes itself for another."""
    package = folder / f"{name}.d"
    package.mkdir()
    (package / "sitecustomize.py").write_text(custom)
    (package / "ensurepip.py").touch()
    program = folder / name
    program.write_text(PROGRAM.format(python=BASE, found=package, packages=PACKAGES))
    program.chmod(0o755)
    return program


def install_shim(folder: Path, name: str) -> None:
    """A command that is there and says that it is not, as those of pyenv."""
    (folder / name).write_text(f"#!/bin/sh\necho {name}: command not found >&2\nexit 127\n")
    (folder / name).chmod(0o755)


def is_there(venv: Path) -> bool:
    return (venv / "bin" / "python").exists()


def test_without_any_python_it_says_which_are_needed(tmp_path: Path, make_venv: Run) -> None:
    done = make_venv()
    assert done.returncode == 2
    assert done.stderr.startswith("ReadFirst needs Python 3.11, 3.12 or 3.13, and none was found.")
    assert not is_there(tmp_path / "venv")


def test_pythons_that_do_not_run_or_fit_are_none(bin_folder: Path, make_venv: Run) -> None:
    install_shim(bin_folder, "python3.13")
    install(bin_folder, "python3", TOO_OLD)
    install(bin_folder, "python3.12", TOO_NEW)
    done = make_venv()
    assert done.returncode == 2
    assert "none was found" in done.stderr


def test_it_takes_the_first_that_runs_and_fits(
    tmp_path: Path, bin_folder: Path, make_venv: Run
) -> None:
    install(bin_folder, "python3", TOO_OLD)
    install_shim(bin_folder, "python3.13")
    install(bin_folder, "python3.12", WITHOUT_VENV)
    install(bin_folder, "python3.11", RUNS)
    done = make_venv()
    assert done.returncode == 0, done.stderr
    assert is_there(tmp_path / "venv")


def test_a_python_without_ensurepip_says_what_to_install(
    tmp_path: Path, bin_folder: Path, make_venv: Run
) -> None:
    install(bin_folder, "python3", WITHOUT_VENV)
    done = make_venv()
    assert done.returncode == 2
    assert "apt install python3.13-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("custom", "sentence"),
    [(TOO_NEW, "3.11, 3.12 or 3.13"), (WITHOUT_VENV, "apt install python3.13-venv")],
)
def test_a_python_that_was_named_and_cannot_be_taken_is_not_replaced(
    bin_folder: Path, make_venv: Run, custom: str, sentence: str
) -> None:
    install(bin_folder, "python3", RUNS)
    done = make_venv(str(install(bin_folder, "mine", custom)))
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_python_that_was_named_and_does_not_run_is_said(make_venv: Run) -> None:
    done = make_venv("/nowhere/python3")
    assert (done.returncode, done.stderr) == (2, "PYTHON=/nowhere/python3 does not run.\n")


@pytest.mark.parametrize(
    ("custom", "where"), [(ON_INTEL_MAC, "macOS"), (WITHOUT_GLIBC, "Linux without glibc")]
)
def test_a_platform_without_tensorflow_is_said(
    tmp_path: Path, bin_folder: Path, make_venv: Run, custom: str, where: str
) -> None:
    install(bin_folder, "python3", custom)
    done = make_venv()
    assert done.returncode == 2
    assert done.stderr.startswith(f"ReadFirst does not run on {where}")
    assert not is_there(tmp_path / "venv")


def test_a_virtual_environment_stays_until_another_python_is_named(
    tmp_path: Path, bin_folder: Path, make_venv: Run
) -> None:
    same = install(bin_folder, "python3", RUNS)
    other = install(bin_folder, "python3.13", OTHER)
    assert make_venv().returncode == 0
    installed = tmp_path / "venv" / "installed"
    installed.touch()
    assert make_venv().stdout == ""
    assert make_venv(str(same)).stdout == ""
    assert installed.exists()
    assert make_venv(str(other)).stdout.startswith("Making ")
    assert not installed.exists()
    assert is_there(tmp_path / "venv")


@pytest.mark.parametrize("missing", ["bin/python", PACKAGES / "pip.py"])
def test_a_virtual_environment_that_is_broken_is_made_anew(
    tmp_path: Path, bin_folder: Path, make_venv: Run, missing: Path
) -> None:
    install(bin_folder, "python3", RUNS)
    assert make_venv().returncode == 0
    (tmp_path / "venv" / missing).unlink()
    assert make_venv().stdout.startswith("Making ")
    assert (tmp_path / "venv" / missing).exists()
