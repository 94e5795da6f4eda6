"""TLS of a client: who must have signed the server's certificate, and what is shown to it."""

import ssl

from readfirst.errors import Misconfigured
from readfirst.pacs.source import PacsSource


def client_context(source: PacsSource) -> ssl.SSLContext:
    """Make the TLS context (1.2 or later, PS3.15 B.12).

    Raises Misconfigured for files that are none.
    """
    try:
        context = ssl.create_default_context(cafile=source.tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(
            f"The CA of the source {source.name}, {source.tls_ca}, must be a file of certificates "
            f"in PEM ({_reason(error)})."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if source.tls_certificate is not None and source.tls_key is not None:
        try:
            context.load_cert_chain(source.tls_certificate, source.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(
                f"The source {source.name} has {source.tls_certificate} and {source.tls_key}; they "
                f"must be a certificate and its private key, both in PEM ({_reason(error)})."
            ) from error
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not readable"
    return error.strerror or "not readable"
