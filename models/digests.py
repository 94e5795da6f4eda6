"""Names and digests of files, by which a manifest names them."""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import Field

#: A plain name: it leads out of no folder.
FileName = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$")]


def file_sha256(path: Path) -> str:
    """Return the digest of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
