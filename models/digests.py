"""Digests of files, by which a manifest names them."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the digest of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
