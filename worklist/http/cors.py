"""Pages of other origins that may read a part of this server (the CORS protocol of Fetch).

They log in by a token: cookies of this server are never sent along, nor is an answer to a request
with cookies given to them.
"""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: For how long a browser remembers that it may ask (seconds).
REMEMBERED = 600


class CrossOrigin:
    """Middleware, before authentication, since a browser asks beforehand without a token.

    prefix: of the paths that may be read. origins: as `https://viewer.example`.
    """

    def __init__(self, app: ASGIApp, prefix: str, origins: Collection[str]) -> None:
        self.app = app
        self._prefix = prefix
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what a browser asks beforehand; let others read what they ask for."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        if origin not in self._origins:
            await self.app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(origin)(scope, receive, send)
        else:

            async def with_origin(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _add(MutableHeaders(scope=message), origin)
                await send(message)

            await self.app(scope, receive, with_origin)


def _preflight(origin: str) -> Response:
    response = Response(status_code=204)
    _add(response.headers, origin)
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Accept"
    response.headers["Access-Control-Max-Age"] = str(REMEMBERED)
    return response


def _add(headers: MutableHeaders, origin: str) -> None:
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = "Warning"
    headers.add_vary_header("Origin")
