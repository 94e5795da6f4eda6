"""TensorFlow's own lines do not reach a terminal; whatever else is written does."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STARTUP_LINES = [
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795889694.489536   12428 port.cc:153] oneDNN custom operations are on.",
    "W0000 00:00:1795889694.489536 1 computation_placer.cc:177] already registered",
    "I0000 00:00:1795889694.552976   12428 cpu_feature_guard.cc:227] This TensorFlow binary is",
    "2026-11-28 10:11:12.131415: I tensorflow/core/util/port.cc:153] oneDNN custom operations",
]
OTHERS = [
    "E0000 00:00:1795889694.489536 1 cuda_dnn.cc:8579] Unable to register",
    "F0000 00:00:1795889694.489536 1 status.cc:1] Check failed",
    "2026-11-28 10:11:12.131415: F tensorflow/core/util/port.cc:1] does not support AVX",
    "I am no notice",
    "a line without an end",
]


def run(program: str, **environment: str) -> tuple[int, str]:
    """Run a program at a terminal; its status, and what the terminal shows."""
    parent, child = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=child, stderr=child, env=variables | environment
    )
    os.close(child)
    output = b""
    while piece := _read(parent):
        output += piece
    os.close(parent)
    return process.wait(), output.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""  # Linux says so when the last process has closed the terminal.


@pytest.fixture
def invented(tmp_path: Path) -> Path:
    """A folder with a package of TensorFlow's name, which writes as C++ does."""
    (tmp_path / "tensorflow").mkdir()
    lines = "\n".join([STARTUP_LINES[0], *OTHERS[:2], *STARTUP_LINES[1:], *OTHERS[2:]])
    program = f"""
import os, sys
os.write(2, {lines.encode()!r})
print(" of Python's own", file=sys.stderr)
if os.environ.get("CRASH"):
    os.abort()
if os.environ.get("FAIL"):
    raise ImportError("no such library")
"""
    (tmp_path / "tensorflow" / "__init__.py").write_text(program)
    return tmp_path


@pytest.mark.parametrize("package", ["models", "laboratory"])
def test_startup_lines_are_left_out_and_all_else_is_printed(invented: Path, package: str) -> None:
    path = f"{invented}:{ROOT}"
    program = f"import {package}, sys, tensorflow\nprint('after', file=sys.stderr)"
    status, output = run(program, PYTHONPATH=path)
    assert status == 0, output
    assert not [line for line in STARTUP_LINES if line in output]
    assert all(line in output for line in [*OTHERS, " of Python's own", "after"])
    assert output.endswith("after\n")


def test_the_last_lines_of_a_crash_are_shown(invented: Path) -> None:
    status, output = run("import models, tensorflow", PYTHONPATH=f"{invented}:{ROOT}", CRASH="1")
    assert status == -signal.SIGABRT
    assert all(line in output for line in OTHERS)


def test_an_import_that_fails_says_so(invented: Path) -> None:
    status, output = run("import models, tensorflow", PYTHONPATH=f"{invented}:{ROOT}", FAIL="1")
    assert status == 1
    assert "ImportError: no such library" in output


def test_whoever_asks_for_the_lines_gets_them(invented: Path) -> None:
    environment = {"PYTHONPATH": f"{invented}:{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "0"}
    _, output = run("import models, tensorflow", **environment)
    assert all(line in output for line in STARTUP_LINES)


def test_a_process_without_descriptor_2_works() -> None:
    program = (
        "import os; os.close(2)\nfrom readfirst.startup.tensorflow_import import filtered_stderr\n"
        "with filtered_stderr(): print('imported')"
    )
    assert run(program, PYTHONPATH=str(ROOT)) == (0, "imported\n")


@pytest.fixture(scope="module")
def real_one() -> tuple[int, str]:
    """Status and output of a process that imports the real ones, and uses them."""
    program = (
        "import models, keras, sys\n"
        "print(*{'matplotlib', 'pandas', 'sklearn', 'scipy.stats'} & {*sys.modules})\n"
        "from sklearn.linear_model import Ridge\nprint(Ridge.__name__)\n"
        "import tensorflow\ntensorflow.constant(1) + 1\nprint('used')"
    )
    return run(program, PYTHONPATH=str(ROOT))


def test_nothing_of_the_real_one_is_shown(real_one: tuple[int, str]) -> None:
    status, output = real_one
    assert status == 0
    assert len(output.splitlines()) == 3, output
    assert output.endswith("used\n")


def test_keras_loads_no_package_that_nobody_here_needs(real_one: tuple[int, str]) -> None:
    """Whoever imports them afterwards has them."""
    assert real_one[1].splitlines()[:2] == ["", "Ridge"]


def test_another_thread_loads_such_a_package_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").touch()
    (tmp_path / "keras.py").write_text("""
from importlib import import_module
from threading import Thread

import tensorflow

try:
    import sklearn
except ImportError:
    print("none here")
other = Thread(target=lambda: print(import_module("sklearn").__name__))
other.start()
other.join()
""")
    (tmp_path / "tensorflow.py").touch()
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    assert run("import models, keras", **environment) == (0, "none here\nsklearn\n")
