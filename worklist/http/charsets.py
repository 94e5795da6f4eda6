"""The character sets in which a body may be written: others would be decoded to what is no text."""

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from worklist.http.problems import problem

#: Every browser and program sends one of them, or names none. Python knows a hundred more, some of
#: which give halves of characters (surrogates), which can be neither stored nor compared.
CHARSETS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252"}
)


class KnownCharsets:
    """Middleware: a body in another character set is answered with 415."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "http" and not names_known_charset(Headers(scope=scope)):
            refused = problem(415, "The body must be written in UTF-8.")
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


def names_known_charset(headers: Headers) -> bool:
    """Return whether every Content-Type names no character set, or one of these."""
    kinds = headers.getlist("content-type")
    charsets = [parse_options_header(kind)[1].get(b"charset", b"utf-8") for kind in kinds]
    return all(charset.decode("latin-1").strip().lower() in CHARSETS for charset in charsets)
