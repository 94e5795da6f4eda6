"""What somebody is told who is not let in: in words for a page, as a problem for a program."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from worklist.api.problems import problem

LOG_IN = "Log in first; a program sends its token (Authorization: Bearer)."


def not_logged_in(request: Request) -> Response:
    """To the log-in for whoever looks at a page; 401 for programs."""
    if request.headers.get("hx-request") == "true":
        # A page that refreshes itself goes there as a whole.
        return problem(401, LOG_IN, headers={"HX-Redirect": "/login"})
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/login?next={quote(_here(request), safe='')}", 303)
    return problem(401, LOG_IN, headers={"WWW-Authenticate": "Bearer"})


def forbidden(detail: str) -> Response:
    """403."""
    return problem(403, detail)


def unavailable() -> Response:
    """503: without the database nobody is let in, and nothing is shown that is not noted."""
    return problem(503, "The database does not answer.", headers={"Retry-After": "5"})


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
