"""A source: a PACS that films are fetched from, and by which protocol."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from readfirst.errors import Misconfigured
from readfirst.settings.fields import check_ae_title, check_host

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Retrieval(StrEnum):
    """The ways in which films come. Stored, so they never change.

    By C-MOVE (PS3.4 C.4.2) the PACS sends to our listener, which it must know by its AE title; by
    C-GET (C.4.3) and WADO-RS (PS3.18 10.4) they come over the connection that is open already.
    """

    C_MOVE = "c-move"
    C_GET = "c-get"
    DICOMWEB = "dicomweb"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsSource:
    """A PACS. DIMSE has host, port and AE title, DICOMweb has url; the rest is as the site needs.

    ae_title: of the PACS. calling_ae_title: ours; None for that of the listener. token_file: its
    content is sent as a bearer token. tls: of DIMSE; that of DICOMweb is in the URL. tls_ca: PEM of
    who signed the server's certificate; None for those that the machine trusts. tls_certificate
    and tls_key: what we show. polled: new studies are fetched by themselves. gives_priors: earlier
    films of a patient are fetched here.
    """

    name: str
    retrieval: Retrieval
    host: str | None = None
    port: int | None = None
    ae_title: str | None = None
    calling_ae_title: str | None = None
    url: str | None = None
    token_file: Path | None = None
    tls: bool = False
    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    polled: bool = False
    gives_priors: bool = False

    @property
    def address(self) -> str:
        """Where it is, for people."""
        if self.retrieval is Retrieval.DICOMWEB:
            return self.url or ""
        return f"{self.ae_title}@{self.host}:{self.port}"


def check_source(source: PacsSource) -> None:
    """Raises Misconfigured, with all that is wrong about it."""
    faults = list(_name_faults(source))
    if source.retrieval is Retrieval.DICOMWEB:
        faults += _dicomweb_faults(source)
    else:
        faults += _dimse_faults(source)
    if (source.tls_certificate is None) != (source.tls_key is None):
        faults.append("A certificate and its key are given together: --tls-certificate, --tls-key.")
    if faults:
        raise Misconfigured("\n".join(faults))


def _name_faults(source: PacsSource) -> list[str]:
    if NAME.fullmatch(source.name):
        return []
    return ["A name has letters, digits, `.`, `_` and `-`, and at most 64 of them."]


def _dimse_faults(source: PacsSource) -> list[str]:
    faults = []
    needed = {"--host": source.host, "--port": source.port, "--ae-title": source.ae_title}
    missing = [option for option, value in needed.items() if value is None]
    if missing:
        faults.append(f"{source.retrieval} needs {', '.join(missing)}.")
    if source.url or source.token_file:
        faults.append("--url and --token-file are of DICOMweb: leave them out, or `--by dicomweb`.")
    for option, title in (("--ae-title", source.ae_title), ("--calling", source.calling_ae_title)):
        if title is not None and not _passes(check_ae_title, title):
            faults.append(
                f"{option} has 1 to 16 ASCII characters, without a backslash and without spaces "
                "around them."
            )
    if source.host is not None and not _passes(check_host, source.host):
        faults.append("--host is an address or a name without a port, as 10.1.2.3.")
    if source.port is not None and not 1 <= source.port <= 65535:
        faults.append("--port is a number from 1 to 65535.")
    if not source.tls and (source.tls_ca or source.tls_certificate):
        faults.append("Certificates are for TLS: add --tls.")
    return faults


def _dicomweb_faults(source: PacsSource) -> list[str]:
    faults = []
    if source.host or source.port or source.ae_title or source.calling_ae_title:
        faults.append("--host, --port and AE titles are of DIMSE: DICOMweb has --url alone.")
    if source.url is None:
        return [*faults, "dicomweb needs --url, as https://pacs.example/dicom-web."]
    if not _passes(_check_url, source.url):
        faults.append(
            "--url is an http:// or https:// address without a user's name, as "
            "https://pacs.example/dicom-web; a token stands in a file (--token-file)."
        )
    return faults


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    is_plain = not (parts.username or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ValueError("no address of a service")
    # Raises ValueError for a port that is none.
    _ = parts.port


def _passes(check: Callable[[str], object], value: str) -> bool:
    try:
        check(value)
    except ValueError:
        return False
    return True
