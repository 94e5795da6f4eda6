"""By which name a browser called this server.

Another site can let its own name point to this machine (DNS rebinding): its page and this server
then have the same origin. Behind a log-in that is of no use to it, since its name has no cookie.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from ingest.receive.terms import is_loopback


def host_of(header: str | None) -> str:
    """The name in a Host header, without its port; empty where there is none or no sense in it."""
    try:
        return urlsplit(f"//{header or ''}").hostname or ""
    except ValueError:
        return ""


def is_called_rightly(header: str | None, names: Collection[str], *, open_to_all: bool) -> bool:
    """Whether a Host header is one by which this server may be called.

    names: those that the site lists. Without any, every name will do, but while nobody has to log
    in, when it must be this machine's own.
    """
    name = host_of(header)
    if not names and not open_to_all:
        return True
    return is_loopback(name) or name in names
