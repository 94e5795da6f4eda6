"""The configuration of the HL7 listener: checked once, before anything listens."""

import ssl
from dataclasses import dataclass
from ipaddress import ip_network

from ingest.receivers.listener_config import Network, admits, is_loopback, server_tls
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.settings import Settings

KILOBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7ListenerConfig:
    """The rules for those who send.

    peers: networks they may call from; none: any. most_bytes: of one message. seconds: that a
    message may take from its first byte. tls: None for plain TCP.
    """

    host: str
    port: int
    peers: tuple[Network, ...]
    connections: int
    most_bytes: int
    seconds: float
    tls: ssl.SSLContext | None = None

    def admits(self, address: str) -> bool:
        """Return whether an address may call at all."""
        return admits(self.peers, address)


def hl7_listener_config(settings: Settings) -> Hl7ListenerConfig:
    """Make the configuration that the settings state.

    Raises Misconfigured: without a port it is off; off loopback the list must say who may send, and
    TLS needs its files.
    """
    if settings.hl7_port is None:
        raise Misconfigured(gettext("The HL7 listener is off: set READFIRST_HL7_PORT, as to 2575."))
    if not is_loopback(settings.hl7_host) and not settings.hl7_peers:
        raise Misconfigured(
            gettext(
                "READFIRST_HL7_HOST is {host}, which other machines reach: say who may send, by "
                "READFIRST_HL7_PEERS (addresses or networks)."
            ).format(host=settings.hl7_host)
        )
    return Hl7ListenerConfig(
        host=settings.hl7_host,
        port=settings.hl7_port,
        peers=tuple(ip_network(peer, strict=False) for peer in settings.hl7_peers),
        connections=settings.hl7_connections,
        most_bytes=settings.hl7_kilobytes * KILOBYTE,
        seconds=settings.hl7_seconds,
        tls=server_tls(
            settings.hl7_tls_certificate,
            settings.hl7_tls_key,
            settings.hl7_tls_ca,
            "READFIRST_HL7_TLS",
        ),
    )
