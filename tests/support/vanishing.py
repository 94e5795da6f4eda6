"""A folder that vanishes between two looks at it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def vanishes_when_listed(folder: Path, elsewhere: Path) -> Iterator[None]:
    """Move a folder away just before it is listed for the first time, as another process may."""
    scandir = os.scandir

    def move_and_list(path: Any = ".") -> Any:
        if Path(os.fsdecode(path)) == folder and not elsewhere.exists():
            folder.rename(elsewhere)
        return scandir(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", move_and_list)
        yield
    assert elsewhere.is_dir()
