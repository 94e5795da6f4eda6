"""Answers of an application to the test client, fetched whole, by one call.

The client of Starlette hands each part of a request from the test's thread to that of the
application, and each part of the answer back: eight times a request. Who does not read an answer as
a stream needs one such call, and a request of a page takes a third less.
"""

from collections.abc import MutableMapping
from typing import Any, Final

import anyio
import httpx2 as httpx
import pytest
from starlette import testclient
from starlette.testclient import TestClient

#: The transport's own way, which hands on an answer while it is made.
_handle_in_parts: Final = testclient._TestClientTransport.handle_request
_send: Final = TestClient.send


def fetch_whole_answers(patch: pytest.MonkeyPatch) -> None:
    """Let test clients fetch answers whole, but for those that they stream."""
    patch.setattr(TestClient, "send", _send_marked)
    patch.setattr(testclient._TestClientTransport, "handle_request", _handle)


def _send_marked(
    self: TestClient, request: httpx.Request, *, stream: bool = False, **options: Any
) -> httpx.Response:
    request.extensions = {**request.extensions, "streamed": stream}
    return _send(self, request, stream=stream, **options)


def _handle(self: Any, request: httpx.Request) -> httpx.Response:
    if request.url.scheme not in ("http", "https") or request.extensions.get("streamed", True):
        return _handle_in_parts(self, request)
    exchange = Exchange(_scope(self, request), request.read())
    with self.portal_factory() as portal:
        try:
            portal.call(exchange.run, self.app)
        except Exception:
            if self.raise_server_exceptions:
                raise
    if exchange.start is None:
        assert not self.raise_server_exceptions, "the application gave no answer"
        return httpx.Response(500, request=request)
    body = b"" if request.method == "HEAD" else bytes(exchange.body)
    return httpx.Response(
        exchange.start["status"],
        headers=[(name.decode(), value.decode()) for name, value in exchange.start["headers"]],
        stream=httpx.ByteStream(body),
        request=request,
    )


def _scope(transport: Any, request: httpx.Request) -> dict[str, Any]:
    """As ASGI describes a request (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
    url = request.url
    path = url.raw_path.split(b"?", 1)[0]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": url.path,
        "raw_path": path,
        "root_path": transport.root_path,
        "scheme": url.scheme,
        "query_string": url.query,
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in request.headers.multi_items()
        ],
        "client": transport.client,
        "server": [url.host, url.port or {"http": 80, "https": 443}[url.scheme]],
        "extensions": {},
        "state": transport.app_state.copy(),
    }


class Exchange:
    """A request and its answer, whole."""

    def __init__(self, scope: dict[str, Any], content: bytes) -> None:
        self._scope = scope
        self._content: bytes | None = content
        self.start: MutableMapping[str, Any] | None = None
        self.body = bytearray()

    async def run(self, app: Any) -> None:
        """Call the application, and wait until it has answered and ended."""
        self._complete = anyio.Event()
        await app(self._scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._content is None:
            # Nobody breaks off before the answer is complete.
            await self._complete.wait()
            return {"type": "http.disconnect"}
        content, self._content = self._content, None
        return {"type": "http.request", "body": content}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert self.start is None, "an answer begins once"
            self.start = message
            return
        assert message["type"] == "http.response.body", message["type"]
        assert self.start is not None, "an answer begins with its head"
        assert not self._complete.is_set(), "nothing follows the end of an answer"
        self.body += message.get("body", b"")
        if not message.get("more_body", False):
            self._complete.set()
