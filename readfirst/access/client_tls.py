"""TLS of a client: who must have signed the server's certificate, and what is shown to it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from readfirst.errors import Misconfigured


class ClientTlsFiles(Protocol):
    """An address with its files in PEM; without `tls_ca`, the authorities of the machine count."""

    @property
    def tls_ca(self) -> Path | None:
        """The certificates of who signed the server's."""

    @property
    def tls_certificate(self) -> Path | None:
        """The certificate that is shown, with its chain."""

    @property
    def tls_key(self) -> Path | None:
        """The private key of that certificate."""


def client_context(files: ClientTlsFiles) -> ssl.SSLContext:
    """Return TLS 1.2 or later, with names checked (PS3.15 B.12). Raises Misconfigured."""
    with readable("tls_ca", files.tls_ca, "a file of certificates in PEM"):
        context = ssl.create_default_context(cafile=files.tls_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if (files.tls_certificate is None) != (files.tls_key is None):
        raise Misconfigured("tls_certificate and tls_key are needed both, or neither of them.")
    if files.tls_certificate is not None:
        names, paths = "tls_certificate and tls_key", f"{files.tls_certificate} and {files.tls_key}"
        with readable(names, paths, "a certificate and its private key, both in PEM"):
            context.load_cert_chain(files.tls_certificate, files.tls_key)
    return context


@contextmanager
def readable(name: str, path: Path | str | None, must_be: str) -> Iterator[None]:
    """Say as Misconfigured why a file that a name stands for cannot be used. must_be: its form."""
    try:
        yield
    except (ssl.SSLError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{name}: {path} must be {must_be}.") from error
    except OSError as error:
        raise Misconfigured(f"{name}: {path} cannot be read ({error.strerror}).") from error
