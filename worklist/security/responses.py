"""The answers for who is not let in: in words for a page, as a problem for a program."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from worklist.http.problems import problem
from worklist.security.principal import cookie_name

LOG_IN = "Log in first; a program sends its token (Authorization: Bearer)."


#: To a browser whose session has ended: the films that it keeps go (W3C Clear Site Data).
CLEAR_CACHE = {"Clear-Site-Data": '"cache"'}


def not_logged_in(request: Request) -> Response:
    """Lead to the log-in whoever looks at a page; answer programs with 401.

    A browser that brings a session's cookie is told to drop the films that it keeps.
    """
    answer = _not_logged_in(request)
    if cookie_name(request) in request.cookies:
        answer.headers.update(CLEAR_CACHE)
    return answer


def _not_logged_in(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        # A page that refreshes itself goes there as a whole.
        return problem(401, LOG_IN, headers={"HX-Redirect": _log_in_and_back(_page_of(request))})
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(_log_in_and_back(_address(request)), 303)
    return problem(401, LOG_IN, headers={"WWW-Authenticate": "Bearer"})


def forbidden(detail: str) -> Response:
    """403."""
    return problem(403, detail)


def unavailable() -> Response:
    """503: without the database nobody is let in, and nothing is shown that is not noted."""
    return problem(503, "The database does not answer.", headers={"Retry-After": "5"})


def _log_in_and_back(path: str) -> str:
    return f"/login?next={quote(path, safe='')}"


def _page_of(request: Request) -> str:
    """The page that htmx asks from; the list where it does not say."""
    page = urlsplit(request.headers.get("hx-current-url", ""))
    return (page.path or "/") + (f"?{page.query}" if page.query else "")


def _address(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
