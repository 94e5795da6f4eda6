"""The kinds of tests, the fast lane and strict mode hold what tests/kinds.py says."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests import kinds
from tests.support.requirements import MAY_BE_MISSING, REASONS, as_failure

TESTS = Path(__file__).parents[2]


def test_every_test_is_of_one_kind(request: pytest.FixtureRequest) -> None:
    """All that were collected beside this one; in the whole suite that is all there are."""
    for item in request.session.items:
        marks = {mark.name for mark in item.iter_markers()}
        assert len(marks & set(kinds.KINDS)) == 1, item.nodeid


@pytest.mark.parametrize("table", [kinds.INTEGRATION, kinds.SLOW], ids=["integration", "slow"])
def test_the_tables_name_tests_that_there_are(table: dict[str, tuple[str, ...]]) -> None:
    for module, names in table.items():
        source = (TESTS / module).read_text()
        assert [name for name in names if f"def {name}(" not in source] == [], module


def run(folder: Path, source: str, *options: str, strict: bool = False) -> str:
    """Return what pytest prints of a file of tests that uses the hooks of this suite."""
    names = "pytest_itemcollected, pytest_runtest_setup, pytest_runtest_call"
    hooks = f"{names}, pytest_runtest_makereport, pytest_addoption, pytest_configure"
    (folder / "conftest.py").write_text(
        f"import tests.kinds\ntests.kinds.TESTS = __import__('pathlib').Path({str(folder)!r})\n"
        f"from tests.kinds import {hooks}\n"
    )
    (folder / "test_some.py").write_text(textwrap.dedent(source))
    environment = {
        "PYTHONPATH": str(TESTS.parent),
        "READFIRST_STRICT": str(int(strict)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)],
        env=os.environ | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout


def test_a_unit_test_that_does_more_than_it_may_fails(tmp_path: Path) -> None:
    output = run(
        tmp_path,
        """
        import socket, subprocess, sys, threading
        import pytest

        def listen():
            with socket.socket() as one:
                one.bind(("127.0.0.1", 0))

        def test_process(): subprocess.run([sys.executable, "-c", ""])
        def test_port(): listen()
        def test_port_in_a_thread():
            thread = threading.Thread(target=listen)
            thread.start()
            thread.join()
        @pytest.mark.integration
        def test_that_says_so(): listen()
        def test_nothing(): pass
        """,
    )
    assert "3 failed, 2 passed" in output
    assert "a unit test that starts a process" in output
    assert "FAILED test_some.py::test_port_in_a_thread" in output


def test_the_fast_lane_has_no_package_that_it_does_without(tmp_path: Path) -> None:
    source = "def test_import():\n    import keras\n"
    assert "the fast lane does without keras" in run(tmp_path, source, "--fast")


@pytest.mark.parametrize("strict", [False, True])
def test_strict_no_skip_passes_but_of_what_may_be_missing(tmp_path: Path, strict: bool) -> None:
    output = run(
        tmp_path,
        """
        import pytest
        from tests.support.requirements import require

        def test_required(): require("chromium", False)
        def test_there(): require("chromium", True)
        def test_optional(): require("training data", False)
        @pytest.mark.skipif(True, reason="by a mark")
        def test_marked(): pass
        @pytest.fixture
        def thing(): pytest.skip("in a fixture")
        def test_fixture(thing): pass
        @pytest.mark.xfail
        def test_expected(): assert False
        """,
        strict=strict,
    )
    # What fails before the test itself is an error to pytest.
    counts = "1 failed, 1 passed, 1 skipped, 1 xfailed" if strict else "1 passed, 4 skipped, 1 xf"
    assert counts in output
    assert ("2 errors" in output) is strict
    assert ("READFIRST_STRICT=1 forbids: no Chromium here" in output) is strict


def test_what_may_be_missing_is_named_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READFIRST_STRICT", "1")
    excused = [
        thing for thing, reason in REASONS.items() if as_failure(f"Skipped: {reason}") is None
    ]
    assert tuple(excused) == MAY_BE_MISSING
