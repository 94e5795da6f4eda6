"""Pages of other sites may not send anything here, whoever looks at them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

#: Methods that change nothing (RFC 9110 9.2.1).
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def is_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a request comes from this server's own page, or from no page at all.

    Browsers say so by Sec-Fetch-Site, older ones by Origin; programs send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def refuse_foreign_pages(request: Request) -> None:
    """A dependency of every route. Raises HTTPException 403 for a request that changes something
    and was sent by another site's page.
    """
    if request.method not in SAFE_METHODS and not is_own_page(request.headers):
        raise HTTPException(403, "A page of another site may not send this.")
