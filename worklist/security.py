"""What every answer tells the browser: load nothing from elsewhere, frame nothing, keep nothing."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response

#: Nothing is loaded from elsewhere, and nothing inline runs.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def add_security_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Middleware: the headers, and no caching but of what is named by content."""
    response = await call_next(request)
    response.headers.update(SECURITY_HEADERS)
    if not request.url.path.startswith(("/static/", "/thumbnails/")):
        response.headers["Cache-Control"] = "no-store"
    return response
