"""The language of a request: that of the account, of the browser's own choice, or of the site."""

from collections.abc import Iterator

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from readfirst.language.languages import ENGLISH, NAMES, Language, language_of
from readfirst.language.texts import speaking
from worklist.http import DICOMWEB_ROOT

#: The choice of a browser where nobody is logged in.
COOKIE = "readfirst_language"
#: By this, scripts of a page ask the API for its sentences in the page's language.
HEADER = "x-page-language"
#: The value of the setting by which browsers choose.
AUTO = "auto"
#: What answers programs does so in English, unless `HEADER` names another language.
OF_PROGRAMS = (
    "/api/",
    f"{DICOMWEB_ROOT}/",
    "/static/",
    "/metrics",
    "/healthz",
    "/readyz",
)
API_PAGE = "/api/v1/docs"


def page_language(request: Request) -> Language:
    """The language of a page, also of one of an error."""
    principal = getattr(request.state, "principal", None)
    account, setting = getattr(principal, "account", None), request.app.state.settings.language
    own = principal.language if principal and account else request.cookies.get(COOKIE)
    if own in NAMES:
        return language_of(own)
    if setting != AUTO:
        return language_of(setting)
    return language_of(accepted_language(request.headers.get("accept-language", "")))


def accepted_language(header: str) -> str:
    """The language that a browser likes best, of those there are (RFC 9110 12.5.4); or English."""
    liked = {code: weight for code, weight in _weights(header) if code in NAMES and weight > 0}
    return max(liked, key=lambda code: liked[code], default=ENGLISH.code)


def _weights(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        name, _, weight = part.partition(";q=")
        try:
            yield name.strip().lower().split("-")[0], float(weight or 1)
        except ValueError:
            continue


def request_language(request: Request) -> Language:
    """The language of the answer to a request, of a page or of a program."""
    path = request.url.path
    if path.startswith(OF_PROGRAMS) and path != API_PAGE:
        wanted = request.headers.get(HEADER, "")
        return language_of(wanted) if wanted in NAMES else ENGLISH
    return page_language(request)


class LanguageMiddleware:
    """Middleware behind the authentication: each request is answered in its language."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        language = request_language(Request(scope))

        async def with_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                _name_language(message, language)
            await send(message)

        with speaking(language):
            await self.app(scope, receive, with_language)


def _name_language(message: Message, language: Language) -> None:
    if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
        headers = MutableHeaders(scope=message)
        headers["Content-Language"] = language.code
        headers.add_vary_header("Accept-Language")
        headers.add_vary_header("Cookie")
