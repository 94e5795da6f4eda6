"""Pages of other sites may not send anything here, whoever looks at them."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import JSONResponse

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


async def refuse_foreign_pages(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Middleware: 403 for a request that changes something and was sent by another site's page."""
    if request.method in SAFE_METHODS or is_own_page(request.headers):
        return await call_next(request)
    return JSONResponse({"detail": "A page of another site may not send this."}, 403)
