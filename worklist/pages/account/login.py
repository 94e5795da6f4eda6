"""The log-in page and the way out."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.access.audit import AuditAction, note
from db.access.login_sessions import Expired, close_session, expired
from readfirst.access.credentials import MOST_PASSWORD, digest, new_secret
from readfirst.access.roles import Role
from readfirst.language.texts import gettext
from worklist.security.login_service import Attempt, log_in
from worklist.security.policy import policy, public
from worklist.security.principal import (
    SECURE_COOKIE,
    address_of,
    cookie_name,
    form_token,
    same,
)
from worklist.services.dependencies import AuthenticatorDep, CurrentUser, DatabaseDep
from worklist.services.forms import OwnForm
from worklist.services.templating import TEMPLATES

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

#: One sentence for every cause: it must not tell which accounts there are.
NOT_LET_IN = (
    "Name or password is wrong, or there were too many attempts. "
    "Try again, or wait {minutes:g} minutes."
)
#: To somebody whose session ended by itself.
IDLE, OVER = (
    "You were logged out after {minutes:g} minutes.",
    "You were logged out after {hours:g} hours.",
)
FormText = Annotated[str, Form(max_length=1024)]


@router.get("/login")
@public
def login_page(request: Request, authenticator: AuthenticatorDep, next: str = "/") -> Response:
    """The form; whoever is logged in already is sent onward."""
    if authenticator.authenticate(request, attended=True) is not None:
        return RedirectResponse(local_path(next), 303)
    return _page(request, local_path(next), notice=_end_of_session(request, authenticator))


@router.post("/login")
@public
def login(
    request: Request,
    authenticator: AuthenticatorDep,
    name: FormText = "",
    password: FormText = "",
    token: Annotated[str, Form(alias="form_token")] = "",
    onward: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Take the form."""
    onward = local_path(onward)
    cookie = request.cookies.get(cookie_name(request), "")
    if not cookie or not same(token, form_token(cookie)):
        return _page(request, onward, gettext("This form is too old: try once more."), 403)
    name = name.strip().lower()
    password, at = password[: MOST_PASSWORD + 1], datetime.now(UTC)
    attempt = Attempt(name, password, address_of(request), at, replaced=cookie)
    secret = log_in(authenticator.database, authenticator.policy, attempt)
    if secret is None:
        pause = authenticator.policy.account_limit.pause
        message = gettext(NOT_LET_IN).format(minutes=pause.total_seconds() / 60)
        return _page(request, onward, message, 401)
    # Never the secret that the browser came with: somebody else may have put it there.
    answer = RedirectResponse(onward, 303)
    give_cookie(request, answer, secret)
    return answer


@router.post("/logout", dependencies=[OwnForm])
@policy(Role.READER)
def logout(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
) -> Response:
    """End the session."""
    with database.write() as session:
        close_session(session, digest(request.cookies.get(cookie_name(request), "")))
        note(session, user.actor, AuditAction.LOGGED_OUT, datetime.now(UTC))
    answer = RedirectResponse("/login", 303, {"Clear-Site-Data": '"cache", "storage"'})
    answer.delete_cookie(cookie_name(request), secure=_secure(request), httponly=True)
    return answer


def _end_of_session(request: Request, authenticator: AuthenticatorDep) -> str:
    """Say why somebody has to log in again, if their session ended by itself."""
    kept = digest(request.cookies.get(cookie_name(request), ""))
    lifetimes = authenticator.policy.lifetimes
    with authenticator.database.read() as session:
        end = expired(session, kept, datetime.now(UTC), lifetimes)
    if end is Expired.IDLE:
        return gettext(IDLE).format(minutes=lifetimes.idle.total_seconds() / 60)
    if end is Expired.OVER:
        return gettext(OVER).format(hours=lifetimes.absolute.total_seconds() / 3600)
    return ""


def _page(
    request: Request, onward: str, message: str = "", status: int = 200, notice: str = ""
) -> Response:
    """The form; with a cookie of its own, for which its token is made."""
    secret = request.cookies.get(cookie_name(request)) or new_secret()
    context = {
        "onward": onward,
        "message": message,
        "notice": notice,
        "form_token": form_token(secret),
    }
    answer = TEMPLATES.TemplateResponse(request, "login.html", context, status)
    give_cookie(request, answer, secret)
    return answer


def local_path(wanted: str) -> str:
    """A path of this server, or the worklist: nobody is sent elsewhere by a link to the log-in."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


def give_cookie(request: Request, answer: Response, secret: str) -> None:
    """Set the cookie until the browser ends; Lax, so that a PACS's link arrives logged in."""
    answer.set_cookie(
        cookie_name(request), secret, httponly=True, secure=_secure(request), samesite="lax"
    )


def _secure(request: Request) -> bool:
    return cookie_name(request) == SECURE_COOKIE
