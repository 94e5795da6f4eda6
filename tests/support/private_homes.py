"""Files and folders as another user of the machine meets them."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from readfirst.files.private_files import PRIVATE_UMASK

#: Nobody, on every Linux.
ANOTHER_USER = 65534
OPEN_UMASK = 0o022


@contextmanager
def an_open_folder() -> Iterator[Path]:
    """A folder that everybody can go into, unlike those of pytest, and an umask that lets them."""
    before = os.umask(OPEN_UMASK)
    with TemporaryDirectory(prefix="readfirst-private-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
    os.umask(before)


def read_as_another(*paths: Path) -> list[Path]:
    """The files of these that another user reads. Only root can ask."""
    program = 'for file; do cat "$file" >&3 && printf "%s\\0" "$file"; done 3>/dev/null'
    answer = subprocess.run(
        ["sh", "-c", program, "sh", *map(str, paths)],
        user=ANOTHER_USER,
        group=ANOTHER_USER,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    return [Path(name) for name in answer.stdout.split("\0") if name]


def rights_of_others(home: Path) -> dict[str, str]:
    """The files and folders of a home, and it, that others have a right to, with their modes."""
    modes = {path: path.lstat().st_mode for path in (home, *home.rglob("*"))}
    return {
        str(path): oct(stat.S_IMODE(mode))
        for path, mode in modes.items()
        if mode & PRIVATE_UMASK and not stat.S_ISLNK(mode)
    }
