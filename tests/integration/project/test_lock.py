"""The locks hold for every Python and platform that is promised, not only for this one.

Nothing is downloaded but what the registry says of its wheels. Where no registry answers these
tests are skipped; `make check-lock` lets them fail instead.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock")
#: As uv calls them. Linux: with the glibc of Debian 10, or later; macOS: 13, or later.
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
PYTHONS = ("3.11", "3.12", "3.13")


def resolve(requirements: Path, platform: str, python: str, folder: Path, *more: str) -> str:
    """Look for a wheel, with a hash of the lock, of each release. Returns what is said against it.

    Skips the test where no registry answers, unless READFIRST_CHECK_LOCK is set.
    """
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--quiet", "--no-progress",
        "--only-binary", ":all:", "--require-hashes", "--python-platform", platform,
        "--python-version", python, "--python", sys.executable,
        # An empty one, since what is installed is not looked for.
        "--target", str(folder / "empty"), "--requirement", str(requirements), *more,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    if "No solution found" not in done.stderr:
        no_registry(done.stderr)
    return done.stderr


def no_registry(message: str) -> None:
    if not os.environ.get("READFIRST_CHECK_LOCK"):
        pytest.skip(f"no package registry answers: {message.splitlines()[0]}")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of the lock, of which the registry knows: it answers."""
    folder = tmp_path_factory.mktemp("registry")
    lock = (ROOT / "requirements.lock").read_text()
    tensorflow = re.search(r"^tensorflow==.*\n(    --hash.*\n)+", lock, flags=re.MULTILINE)
    assert tensorflow is not None
    requirements = folder / "tensorflow.txt"
    requirements.write_text(tensorflow[0])
    message = resolve(requirements, "aarch64-unknown-linux-gnu", "3.13", folder, "--no-deps")
    if message:
        no_registry(message)
    return requirements


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.usefixtures("registry")
def test_every_release_has_a_wheel(platform: str, python: str, tmp_path: Path) -> None:
    assert resolve(ROOT / "requirements-dev.lock", platform, python, tmp_path) == ""


def test_the_lock_of_developers_has_all_of_the_other() -> None:
    """The same releases, for the same machines, with the same hashes: so both have wheels."""
    used, developed = (
        set(re.findall(r"^\S+==[^\n]*\n(?:    --hash=[^\n]*\n)+", text, re.MULTILINE))
        for text in ((ROOT / lock).read_text() for lock in LOCKS)
    )
    assert len(used) > 50
    assert used < developed


def test_a_platform_without_wheels_is_found(registry: Path, tmp_path: Path) -> None:
    """TensorFlow has none for macOS on Intel processors, as scripts/venv.sh says."""
    message = resolve(registry, "x86_64-apple-darwin", "3.13", tmp_path, "--no-deps")
    assert "Because tensorflow" in message
    assert "has no wheels" in message


def test_the_pythons_are_those_that_the_project_promises() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    first, last = (tuple(map(int, python.split("."))) for python in (PYTHONS[0], PYTHONS[-1]))
    assert project["requires-python"] == f">={PYTHONS[0]},<{last[0]}.{last[1] + 1}"
    script = (ROOT / "scripts" / "venv.sh").read_text()
    assert f"{first} <= sys.version_info[:2] <= {last}" in script
    image = re.search(r"^FROM python:(\S+)-slim", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert image is not None
    assert image[1] in PYTHONS


def test_the_build_for_gpus_is_the_release_of_the_lock() -> None:
    gpu = (ROOT / "requirements-gpu.lock").read_text()
    pinned = re.search(r"^tensorflow(?:\[and-cuda\])?==(\S+)", gpu, re.MULTILINE)
    assert pinned is not None
    lock = (ROOT / "requirements.lock").read_text()
    assert re.findall(r"^tensorflow(?:-cpu)?==(\S+)", lock, re.MULTILINE) == [pinned[1]] * 2


@pytest.mark.parametrize("lock", [*LOCKS, "requirements-gpu.lock"])
def test_every_release_has_its_hashes(lock: str) -> None:
    releases = re.findall(
        r"^\S+==.*\n((?:    --hash.*\n)*)", (ROOT / lock).read_text(), re.MULTILINE
    )
    assert len(releases) > 50
    assert all("--hash=sha256:" in hashes for hashes in releases)


def test_the_build_for_gpus_brings_its_libraries_and_all_else_as_the_lock_has_it() -> None:
    pinned = {
        lock: set(re.findall(r"^([a-z0-9._-]+)(?:\[\S+\])?==(\S+)", text, re.MULTILINE))
        for lock in ("requirements.lock", "requirements-gpu.lock")
        if (text := (ROOT / lock).read_text())
    }
    more = pinned["requirements-gpu.lock"] - pinned["requirements.lock"]
    assert more
    assert all(name.startswith("nvidia-") for name, _ in more)
    less = pinned["requirements.lock"] - pinned["requirements-gpu.lock"]
    assert {name for name, _ in less} == {"tensorflow-cpu"}
