"""Problems as pages for people: a browser gets the same error in words, a program as it was."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worklist.http.problems import MEDIA_TYPE, Problem
from worklist.http.responses import wish

#: Makes the page of a problem, in HTML; its status is that of the problem.
Renderer = Callable[[Request, Problem], Awaitable[Response]]


class ProblemPages:
    """Middleware: problems are pages for whoever prefers HTML (RFC 9110 12.5.1)."""

    def __init__(self, app: ASGIApp, render: Renderer) -> None:
        self.app = app
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            send = _ProblemSender(Request(scope), send, self._render)
        await self.app(scope, receive, send)


class _ProblemSender:
    """Sends an answer on; a problem is held back until its body is there."""

    def __init__(self, request: Request, send: Send, render: Renderer) -> None:
        self._request = request
        self._send = send
        self._render = render
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            MutableHeaders(scope=message).add_vary_header("Accept")
            if wants_page(self._request.headers):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        page = await self._render(self._request, Problem.model_validate_json(self._body))
        MutableHeaders(scope=start).update(page.headers)
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page.body})


def wants_page(headers: Headers) -> bool:
    """Return whether a person waits for the answer, and not a script of a page or a program."""
    accepted = headers.get("accept", "")
    as_json = max(wish(accepted, "application/json"), wish(accepted, MEDIA_TYPE))
    return headers.get("hx-request") != "true" and wish(accepted, "text/html") > as_json


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "") == MEDIA_TYPE
