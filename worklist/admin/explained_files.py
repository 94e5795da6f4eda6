"""Files that an administrator wants explained: kept while they are read, and no longer."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from readfirst.errors import Unavailable
from readfirst.files.folders import make_private_folder

#: In the home folder.
FOLDER = "explained"


def clear_explained(home: Path) -> None:
    """Remove what a process that died has left."""
    with suppress(OSError):
        shutil.rmtree(home / FOLDER)


@contextmanager
def kept_while_read(home: Path, content: BinaryIO) -> Iterator[Path]:
    """A file of this content, gone after the block. Raises Unavailable if it cannot be written."""
    folder = home / FOLDER
    path = folder / secrets.token_hex(16)
    try:
        try:
            if fault := make_private_folder(folder):
                raise Unavailable(f"The file cannot be kept while it is read: {fault}")
            with path.open("xb") as file:
                shutil.copyfileobj(content, file)
        except OSError as error:
            raise Unavailable(
                f"The file cannot be kept while it is read: {error.strerror}."
            ) from error
        yield path
    finally:
        path.unlink(missing_ok=True)
