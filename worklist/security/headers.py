"""The security headers of every answer: nothing is loaded from elsewhere, framed or kept."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing is loaded from elsewhere, and nothing inline runs.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), "
    "microphone=(), payment=(), usb=()",
}
#: Under TLS, for a year: never again without it (RFC 6797).
TRANSPORT_SECURITY = "max-age=31536000"
#: Scripts and styles under no digest of theirs (`worklist.http.static_files`): asked for each time.
STATIC = "/static/"


class SecurityHeaders:
    """Middleware: the headers, and no caching but of what a route says may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), scope)
            await send(message)

        await self.app(scope, receive, with_headers)


def _add(headers: MutableHeaders, scope: Scope) -> None:
    headers.update(SECURITY_HEADERS)
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = TRANSPORT_SECURITY
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-cache" if scope["path"].startswith(STATIC) else "no-store"
