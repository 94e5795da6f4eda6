"""The site's access policy, from its settings: checked once, before anything listens."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from db.access.accounts import any_account
from db.access.login_attempts import Limit
from db.access.login_sessions import Lifetimes
from ingest.receivers.listener_config import certified, is_loopback
from readfirst.access.addresses import shared_addresses
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings

#: Many people may share an address, as behind a proxy that nobody trusts.
ADDRESS_FACTOR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """The settings of access.

    always: whether a log-in is wanted in any case. hosts: the names by which browsers may call.
    is_shared: tells of an address whether many may have it, so that it is never locked.
    """

    always: bool
    hosts: frozenset[str]
    lifetimes: Lifetimes
    account_limit: Limit
    address_limit: Limit
    is_shared: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate with its chain, and its key, both PEM."""

    certificate: Path
    key: Path


def access_policy(settings: Settings) -> AccessPolicy:
    """Make the policy that the settings state."""
    pause = timedelta(minutes=settings.lockout_minutes)
    return AccessPolicy(
        always=settings.auth == "required" or not is_loopback(settings.host),
        hosts=frozenset(name.lower() for name in settings.hosts),
        lifetimes=Lifetimes(
            timedelta(minutes=settings.session_idle_minutes),
            timedelta(hours=settings.session_hours),
        ),
        account_limit=Limit(settings.lockout_failures, pause),
        address_limit=Limit(settings.lockout_failures * ADDRESS_FACTOR, pause),
        is_shared=shared_addresses(settings.trusted_proxies),
    )


def check_may_listen(settings: Settings, session: Session) -> None:
    """Raises Misconfigured where other machines would reach a page without log-in."""
    tls_files(settings)
    if settings.auth == "required" or is_loopback(settings.host) or any_account(session):
        return
    raise Misconfigured(
        gettext(
            "READFIRST_HOST is {host}, which other machines reach, and there is no account yet. "
            "Make one by `readfirst accounts add NAME --role admin`; or set "
            "READFIRST_AUTH=required to start with nobody let in."
        ).format(host=settings.host)
    )


def tls_files(settings: Settings) -> TlsFiles | None:
    """The page's files of TLS; None for plain HTTP. Raises Misconfigured for unusable files."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise Misconfigured(
            gettext("TLS needs both READFIRST_TLS_CERTIFICATE and READFIRST_TLS_KEY.")
        )
    certified(certificate, key, "READFIRST_TLS")
    return TlsFiles(certificate, key)
