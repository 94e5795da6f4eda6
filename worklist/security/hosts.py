"""The name by which a browser called this server, checked against DNS rebinding.

Another site can let its own name point to this machine (DNS rebinding): its page and this server
then have the same origin. Behind a log-in that is of no use to it, since its name has no cookie.
"""

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from ingest.receivers.listener_config import is_loopback

#: A name or an address of IPv4, or an address of IPv6 in brackets; and a port.
HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
#: Headers by which proxies say for whom they ask, and that they are there (RFC 7239; RFC 9110
#: 7.6.3).
FORWARDING = frozenset(
    {
        "forwarded",
        "via",
        "client-ip",
        "true-client-ip",
        "proxy-client-ip",
        "wl-proxy-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-originating-ip",
        "x-proxyuser-ip",
        "x-host",
        "x-scheme",
        "x-url-scheme",
        "front-end-https",
        "fastly-client-ip",
        "fastly-ff",
        "fly-client-ip",
        "cdn-loop",
        "akamai-origin-hop",
        "x-request-start",
        "remote-user",
        "x-remote-user",
    }
)
#: And those that begin so: of one vendor each, and without an end to the list.
FORWARDING_STARTS = (
    "x-forwarded",
    "x-real-",
    "x-original-",
    "x-proxy-",
    "x-envoy-",
    "x-amzn-",
    "x-amz-cf-",
    "x-azure-",
    "x-arr-",
    "x-appengine-",
    "x-cloud-trace",
    "x-varnish",
    "x-traefik-",
    "x-ms-forwarded-",
    "cf-",
    "cloudfront-",
    "fly-",
    "tailscale-",
)


def forwarding_header(names: Iterable[str]) -> str | None:
    """The first of these headers, in lower case, that only a proxy sends; None for none."""
    for name in names:
        if name in FORWARDING or name.startswith(FORWARDING_STARTS):
            return name
    return None


def host_of(header: str | None) -> str:
    """The name in a Host header, without its port; empty where there is none or no sense in it.

    A Host header is a name and perhaps a port, and nothing else of an address (RFC 9110 7.2).
    """
    if header and not HOST.fullmatch(header):
        return ""
    try:
        return urlsplit(f"//{header or ''}").hostname or ""
    except ValueError:
        return ""


def is_called_rightly(header: str | None, names: Collection[str], *, open_to_all: bool) -> bool:
    """Return whether a Host header is one by which this server may be called.

    names: those that the site lists. Without any, every name will do, but while nobody has to log
    in, when it must be this machine's own.
    """
    name = host_of(header)
    if not names and not open_to_all:
        return True
    return is_loopback(name) or name in names
