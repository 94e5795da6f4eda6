"""Protection against cross-site requests (CSRF): pages of other sites may change nothing here."""

from collections.abc import Mapping
from urllib.parse import urlsplit

#: Methods that change nothing (RFC 9110 9.2.1).
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def is_own_page(headers: Mapping[str, str]) -> bool:
    """Return whether a request comes from this server's own page, or from no page at all.

    Browsers say so by Sec-Fetch-Site, older ones by Origin; programs send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def names_no_page(headers: Mapping[str, str]) -> bool:
    """Return whether a request does not say at all which page sent it."""
    return "sec-fetch-site" not in headers and "origin" not in headers
