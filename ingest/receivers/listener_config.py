"""The configuration of the DICOM listener: checked once, before anything listens."""

import ssl
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings

Network = IPv4Network | IPv6Network
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """The rules for those who send.

    calling: AE titles that may call; none: any. peers: networks they may call from; none: any.
    most_bytes: of one data set. tls: None for plain TCP.
    """

    host: str
    port: int
    ae_title: str
    calling: tuple[str, ...]
    peers: tuple[Network, ...]
    associations: int
    most_bytes: int
    tls: ssl.SSLContext | None = None

    def admits(self, address: str) -> bool:
        """Return whether an address may call at all."""
        return admits(self.peers, address)


def listener_config(settings: Settings) -> ListenerConfig:
    """Make the configuration that the settings state.

    Raises Misconfigured: off loopback both lists must say who may call, and TLS needs its files.
    """
    if not is_loopback(settings.receive_host) and not (
        settings.receive_calling and settings.receive_peers
    ):
        raise Misconfigured(
            gettext(
                "READFIRST_RECEIVE_HOST is {host}, which other machines reach: say who may send, "
                "by READFIRST_RECEIVE_CALLING (AE titles) and READFIRST_RECEIVE_PEERS (addresses "
                "or networks)."
            ).format(host=settings.receive_host)
        )
    return ListenerConfig(
        host=settings.receive_host,
        port=settings.receive_port,
        ae_title=settings.receive_ae_title,
        calling=settings.receive_calling,
        peers=tuple(ip_network(peer, strict=False) for peer in settings.receive_peers),
        associations=settings.receive_associations,
        most_bytes=settings.receive_megabytes * MEGABYTE,
        tls=server_tls(
            settings.receive_tls_certificate,
            settings.receive_tls_key,
            settings.receive_tls_ca,
            "READFIRST_RECEIVE_TLS",
        ),
    )


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine only; an unknown name is not."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def reachable_host(host: str) -> str:
    """Return the address by which this machine reaches a listener on that one."""
    try:
        every = ip_address(host).is_unspecified
    except ValueError:
        return host
    return "localhost" if every else host


def admits(peers: tuple[Network, ...], address: str) -> bool:
    """Return whether an address is in one of the networks. No networks: every address is."""
    if not peers:
        return True
    peer = ip_address(address.partition("%")[0])
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped:
        peer = peer.ipv4_mapped
    return any(peer in network for network in peers)


def server_tls(
    certificate: Path | None, key: Path | None, ca: Path | None, prefix: str
) -> ssl.SSLContext | None:
    """TLS 1.2 or later (PS3.15 B.12); with a CA, callers must show a certificate of it.

    None without any file. prefix: of the settings that name them. Raises Misconfigured.
    """
    if certificate is None and key is None and ca is None:
        return None
    if certificate is None or key is None:
        raise Misconfigured(
            gettext("TLS needs both {prefix}_CERTIFICATE and {prefix}_KEY.").format(prefix=prefix)
        )
    context = certified(certificate, key, prefix)
    if ca is not None:
        setting = f"{prefix}_CA"
        _check_readable(setting, ca)
        try:
            context.load_verify_locations(ca)
        except ssl.SSLError as error:
            raise Misconfigured(
                gettext("{setting} is {ca}; it must be a file of certificates in PEM.").format(
                    setting=setting, ca=ca
                )
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def certified(certificate: Path, key: Path, prefix: str) -> ssl.SSLContext:
    """Make the TLS context of a server. Raises Misconfigured for files that are none.

    prefix: of the two settings that name the files.
    """
    _check_readable(f"{prefix}_CERTIFICATE", certificate)
    _check_readable(f"{prefix}_KEY", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise Misconfigured(
            gettext(
                "{prefix}_CERTIFICATE is {certificate} and {prefix}_KEY is {key}; they must be a "
                "certificate and its private key, both in PEM."
            ).format(prefix=prefix, certificate=certificate, key=key)
        ) from error
    return context


def _check_readable(setting: str, path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise Misconfigured(
            gettext("{setting} is {path}; it must be a file that can be read ({reason}).").format(
                setting=setting, path=path, reason=error.strerror
            )
        ) from error
