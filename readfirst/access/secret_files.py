"""Secrets that stand in files: tokens and passwords towards other systems."""

from pathlib import Path

from readfirst.access.client_tls import readable
from readfirst.errors import Misconfigured


def read_secret(name: str, path: Path) -> str:
    """Return the first line of a file. name: of the setting. Raises Misconfigured."""
    with readable(name, path, "a text in UTF-8"):
        lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].strip():
        raise Misconfigured(f"{name}: the first line of {path} is empty.")
    return lines[0].strip()


def read_token(name: str, path: Path) -> str:
    """Return the bearer token on the first line of a file (RFC 6750 2.1). Raises Misconfigured."""
    token = read_secret(name, path)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Misconfigured(f"{name}: the first line of {path} must be one token.")
    return token
