"""On which terms the page's server lets anybody in: checked once, before anything listens."""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from sqlalchemy.orm import Session

from db.accounts import any_account
from db.login_attempts import Limit
from db.login_sessions import Lifetimes
from ingest.receive.terms import is_loopback
from readfirst.errors import Misconfigured
from readfirst.settings import Settings

#: Many people may share an address, as behind a proxy that nobody trusts.
ADDRESS_FACTOR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTerms:
    """What the settings say of who may look.

    always: whether a log-in is wanted in any case. hosts: by which names browsers may call.
    """

    always: bool
    hosts: frozenset[str]
    lifetimes: Lifetimes
    account_limit: Limit
    address_limit: Limit


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate with its chain, and its key, both PEM."""

    certificate: Path
    key: Path


def access_terms(settings: Settings) -> AccessTerms:
    """The terms that the settings state."""
    pause = timedelta(minutes=settings.lockout_minutes)
    return AccessTerms(
        always=settings.auth == "required" or not is_loopback(settings.host),
        hosts=frozenset(name.lower() for name in settings.hosts),
        lifetimes=Lifetimes(
            timedelta(minutes=settings.session_idle_minutes),
            timedelta(hours=settings.session_hours),
        ),
        account_limit=Limit(settings.lockout_failures, pause),
        address_limit=Limit(settings.lockout_failures * ADDRESS_FACTOR, pause),
    )


def check_may_listen(settings: Settings, session: Session) -> None:
    """Raises Misconfigured where other machines would reach a page without log-in."""
    tls_files(settings)
    check_proxies(settings)
    if settings.auth == "required" or is_loopback(settings.host) or any_account(session):
        return
    raise Misconfigured(
        f"READFIRST_HOST is {settings.host}, which other machines reach, and there is no account "
        "yet. Make one by `readfirst accounts add NAME --role admin`; or set "
        "READFIRST_AUTH=required to start with nobody let in."
    )


def tls_files(settings: Settings) -> TlsFiles | None:
    """By what the page speaks TLS; None for plain HTTP. Raises Misconfigured for unusable files."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise Misconfigured("TLS needs both READFIRST_TLS_CERTIFICATE and READFIRST_TLS_KEY.")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:
        raise Misconfigured(f"READFIRST_TLS_…: {error}.") from error
    return TlsFiles(certificate, key)


def check_proxies(settings: Settings) -> None:
    """Raises Misconfigured unless each trusted proxy is an address or a network."""
    try:
        for proxy in settings.trusted_proxies:
            ip_network(proxy, strict=False)
    except ValueError as error:
        raise Misconfigured(f"READFIRST_TRUSTED_PROXIES: {error}.") from error
