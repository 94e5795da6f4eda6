"""HEAD as GET without its body, on every route (RFC 9110 9.3.2)."""

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Messages of an application that bring a piece of the body, or name the file that is the body.
BODIES = ("http.response.body", "http.response.pathsend")


class HeadAnswered(Exception):
    """The headers of a long answer are sent; nobody wants its body."""


class HeadAsGet:
    """Middleware that asks the routes by GET, and sends their headers alone.

    A long answer, as a stream of events, ends with its first piece.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope.get("method") != "HEAD":
            await self.app(scope, receive, send)
            return
        with suppress(HeadAnswered):
            await self.app(_as_get(scope), receive, _HeadersOnly(send))


def _as_get(scope: Scope) -> Scope:
    # A range of nothing: Range is for GET alone (RFC 9110 14.2).
    headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
    return {**scope, "method": "GET", "headers": headers}


class _HeadersOnly:
    """Sends an answer without its body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] not in BODIES:
            await self._send(message)
        elif not self._ended:
            self._ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            if message.get("more_body"):
                raise HeadAnswered
