"""Proofs of who a source and we are: TLS and tokens, from the files that it names."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from readfirst.access import client_tls
from readfirst.access.secret_files import read_token
from readfirst.errors import Misconfigured
from readfirst.pacs.source import PacsSource


def client_context(source: PacsSource) -> ssl.SSLContext:
    """Make the TLS context of a source. Raises Misconfigured, with its name."""
    with _of(source):
        return client_tls.client_context(source)


def token(source: PacsSource, path: Path) -> str:
    """Read the bearer token of a source. Raises Misconfigured, with its name."""
    with _of(source):
        return read_token("token_file", path)


@contextmanager
def _of(source: PacsSource) -> Iterator[None]:
    try:
        yield
    except Misconfigured as error:
        raise Misconfigured(f"Source {source.name}: {error}") from error
