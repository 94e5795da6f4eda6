"""TLS towards destinations: which authorities are trusted, and the certificate that is shown."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

from readfirst.access import client_tls
from readfirst.access.secret_files import read_secret, read_token
from readfirst.errors import Misconfigured
from results.destinations.kind import AbsolutePath, Address, SendingFailed


class TlsAddress(Address):
    """An address that may be reached by TLS."""

    tls_ca: AbsolutePath | None = Field(
        None,
        description="File of the authority (PEM) that signed the certificate of the destination. "
        "Default: the authorities of this machine.",
    )
    tls_certificate: AbsolutePath | None = Field(
        None, description="File of the certificate (PEM, with its chain) that is shown to it."
    )
    tls_key: AbsolutePath | None = Field(
        None, description="File of the private key of that certificate (PEM)."
    )


def client_context(address: TlsAddress) -> ssl.SSLContext:
    """Return the TLS context of an address. Raises SendingFailed."""
    with _as_failure():
        return client_tls.client_context(address)


def tls_fault(where: str, error: ssl.SSLError) -> str:
    """Say as a sentence why there is no TLS. where: host and port."""
    return f"TLS with {where} fails: {getattr(error, 'verify_message', '') or error.reason}."


def password(name: str, path: Path) -> str:
    """Return the password on the first line of a file. Raises SendingFailed."""
    with _as_failure():
        return read_secret(name, path)


def token(name: str, path: Path) -> str:
    """Return the bearer token on the first line of a file. Raises SendingFailed."""
    with _as_failure():
        return read_token(name, path)


@contextmanager
def _as_failure() -> Iterator[None]:
    try:
        yield
    except Misconfigured as error:
        raise SendingFailed(str(error)) from error
