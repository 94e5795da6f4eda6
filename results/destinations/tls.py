"""TLS towards destinations: which authorities are trusted, and the certificate that is shown."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

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
    """Return TLS 1.2 or later, with names checked (PS3.15 B.12). Raises SendingFailed."""
    with _readable("tls_ca", address.tls_ca, "a file of certificates in PEM"):
        context = ssl.create_default_context(cafile=address.tls_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if (address.tls_certificate is None) != (address.tls_key is None):
        raise SendingFailed("tls_certificate and tls_key are needed both, or neither of them.")
    if address.tls_certificate is not None:
        pair = "a certificate and its private key, both in PEM"
        with _readable("tls_certificate", address.tls_certificate, pair):
            context.load_cert_chain(address.tls_certificate, address.tls_key)
    return context


def tls_fault(where: str, error: ssl.SSLError) -> str:
    """Say as a sentence why there is no TLS. where: host and port."""
    return f"TLS with {where} fails: {getattr(error, 'verify_message', '') or error.reason}."


def secret(name: str, path: Path) -> str:
    """Return the secret that a file holds: its first line. Raises SendingFailed."""
    with _readable(name, path, "a text in UTF-8"):
        lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].strip():
        raise SendingFailed(f"{name} is {path}; it is empty.")
    return lines[0].strip()


@contextmanager
def _readable(name: str, path: Path | None, must_be: str) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise SendingFailed(f"{name} is {path}; it must be {must_be}.") from error
    except OSError as error:
        raise SendingFailed(f"{name} is {path}; it cannot be read ({error.strerror}).") from error
