"""Each command loads what it needs, and nothing of what the others need."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import typer

from cli import COMMANDS, app
from cli.common.lazy_commands import LazyCommands

ROOT = Path(__file__).parents[3]
HEAVY = {"celery", "fastapi", "keras", "numpy", "pydicom", "sqlalchemy", "tensorflow", "valkey"}
SCRIPT = """
import sys
from cli import app
try:
    app(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The heavy packages that a command has loaded at its end."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return HEAVY & set(ended.stderr.split())


@pytest.mark.parametrize("part", ["worker", "beat", "serve"])
def test_a_part_loads_nothing_before_it_knows_its_settings(part: str) -> None:
    assert loaded(part, "--help") == set()


def test_a_command_of_the_database_needs_no_reader_of_films() -> None:
    assert not {"celery", "fastapi", "pydicom", "valkey"} & loaded("worklist", "--help")


def test_the_doctor_loads_no_command_whose_subject_it_checks() -> None:
    assert loaded("doctor", "--help") == {"sqlalchemy"}


def test_the_page_starts_without_what_makes_dicom_objects(tmp_path: Path) -> None:
    """It makes one for DICOMweb, when somebody asks for it."""
    script = (
        "import sys\n"
        "from readfirst.settings import Settings\n"
        "from worklist.app import make_app\n"
        f"make_app(Settings(home={str(tmp_path)!r})).openapi()\n"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    modules = set(ended.stdout.split())
    assert "results.make" in modules
    assert not {"highdicom", "keras", "tensorflow", "celery"} & modules


def test_a_process_that_runs_no_task_loads_nothing_of_the_steps(tmp_path: Path) -> None:
    """As a worker's first process, and the clock, also while it looks for archives to poll."""
    script = "import sys, worker.tasks, worker.pacs.polling_thread; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"READFIRST_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    modules = set(ended.stdout.split())
    assert "worker.tasks" in modules
    assert not {"worker.steps", "worker.composition", "numpy", "pydicom", "keras"} & modules


def test_a_command_that_is_looked_up_is_the_only_one_made() -> None:
    made: list[str] = []

    def maker(name: str) -> typer.Typer:
        made.append(name)
        return typer.Typer(name=name)

    commands = LazyCommands({name: partial(maker, name) for name in ("a", "b", "c")})
    assert list(commands) == ["a", "b", "c"]
    assert commands.get("nothing") is None
    assert commands["b"] is commands.get("b")
    assert made == ["b"]
    assert [name for name, _ in commands.items()] == ["a", "b", "c"]
    assert made == ["b", "a", "c"]


def test_every_command_is_where_it_is_said_to_be() -> None:
    group = typer.main.get_command(app)
    made = group.commands  # type: ignore[attr-defined]
    for panel, commands in COMMANDS.items():
        for name in commands:
            assert made[name].name == name
            assert made[name].rich_help_panel == panel


def printed(program: str) -> list[str]:
    """The words that a Python process of its own prints."""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return ended.stdout.split()


def test_a_process_that_ends_looks_through_nothing_that_it_imported() -> None:
    """A call that is registered first comes last: it sees what is left to be looked through."""
    program = (
        "import atexit, gc\n"
        "from readfirst.startup.garbage import collect_seldom\n"
        "numbers = lambda: print(len(gc.get_objects()) < 100, gc.get_freeze_count() > 1000)\n"
        "atexit.register(numbers)\n"
        "collect_seldom()\n"
    )
    assert printed(program) == ["True", "True"]


@pytest.mark.parametrize("module", ["readfirst.results.common", "ingest.reader.reader_child"])
def test_pydicom_loads_nothing_for_downloads(module: str) -> None:
    """Whoever imports that afterwards has it."""
    program = (
        f"import {module}, pydicom, sys\n"
        "print(*{'requests', 'tqdm', 'urllib3'} & {*sys.modules})\n"
        "import requests, tqdm\n"
        "print(requests.__name__, tqdm.__name__)\n"
    )
    assert printed(program) == ["requests", "tqdm"]
