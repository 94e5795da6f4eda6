"""The log-in page and the way out."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.audit import Action, note
from db.login_sessions import close_session
from readfirst.credentials import MOST_PASSWORD, digest, new_secret
from worklist.pages.templates import TEMPLATES
from worklist.security.answers import forbidden
from worklist.security.gate import Gate
from worklist.security.logging_in import Attempt, log_in
from worklist.security.visitor import (
    SECURE_COOKIE,
    Who,
    address_of,
    cookie_name,
    form_token,
    same,
)

#: One sentence for every cause: it must not tell which accounts there are.
NOT_LET_IN = "Name or password is wrong, or there were too many attempts; then wait a while."
FormText = Annotated[str, Form(max_length=1024)]


def add_login(app: FastAPI, gate: Gate) -> None:
    """Add the routes."""

    def page(request: Request, onward: str, said: str = "", status: int = 200) -> Response:
        """The form; with a cookie of its own, for which its token is made."""
        secret = request.cookies.get(cookie_name(request)) or new_secret()
        shown = {
            "onward": onward,
            "said": said,
            "form_token": form_token(secret),
        }
        answer = TEMPLATES.TemplateResponse(request, "login.html", shown, status)
        give_cookie(request, answer, secret)
        return answer

    @app.get("/login", response_class=HTMLResponse, include_in_schema=False)
    def login_page(request: Request, next: str = "/") -> Response:
        if gate.visitor(request, attended=True) is not None:
            return RedirectResponse(local_path(next), 303)
        return page(request, local_path(next))

    @app.post("/login", response_class=HTMLResponse, include_in_schema=False)
    def login(
        request: Request,
        name: FormText = "",
        password: FormText = "",
        token: Annotated[str, Form(alias="form_token")] = "",
        onward: Annotated[str, Form(alias="next")] = "/",
    ) -> Response:
        onward = local_path(onward)
        held = request.cookies.get(cookie_name(request), "")
        if not held or not same(token, form_token(held)):
            return page(request, onward, "This form is too old: try once more.", 403)
        name = name.strip().lower()
        attempt = Attempt(
            name, password[: MOST_PASSWORD + 1], address_of(request), datetime.now(UTC)
        )
        secret = log_in(gate.database, gate.terms, attempt)
        if secret is None:
            return page(request, onward, NOT_LET_IN, 401)
        # Never the secret that the browser came with: somebody else may have put it there.
        answer = RedirectResponse(onward, 303)
        give_cookie(request, answer, secret)
        return answer

    @app.post("/logout", include_in_schema=False)
    def logout(
        request: Request, who: Who, token: Annotated[str, Form(alias="form_token")] = ""
    ) -> Response:
        if not same(token, who.form_token):
            return forbidden("This form is too old: load the page again.")
        with gate.database.write() as session:
            close_session(session, digest(request.cookies.get(cookie_name(request), "")))
            note(session, who.actor, Action.LOGGED_OUT, datetime.now(UTC))
        answer = RedirectResponse("/login", 303, {"Clear-Site-Data": '"cache", "storage"'})
        answer.delete_cookie(cookie_name(request), secure=_secure(request), httponly=True)
        return answer


def local_path(wanted: str) -> str:
    """A path of this server, or the worklist: nobody is sent elsewhere by a link to the log-in."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


def give_cookie(request: Request, answer: Response, secret: str) -> None:
    """Until the browser ends; Lax, so that a link from the PACS arrives logged in."""
    answer.set_cookie(
        cookie_name(request), secret, httponly=True, secure=_secure(request), samesite="lax"
    )


def _secure(request: Request) -> bool:
    return cookie_name(request) == SECURE_COOKIE
