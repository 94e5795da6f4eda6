"""The start of a process."""

import gc

import pytest

import cli
from readfirst.startup.garbage import NEW_OBJECTS


def test_commands_and_parts_look_for_garbage_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    thresholds = gc.get_threshold()
    monkeypatch.setattr("sys.argv", ["readfirst", "--version"])
    monkeypatch.setattr(cli, "keep_private", lambda: None)
    try:
        gc.set_threshold(700, 10, 10)
        with pytest.raises(SystemExit):
            cli.main()
        assert gc.get_threshold()[0] == NEW_OBJECTS
    finally:
        gc.set_threshold(*thresholds)
