"""The page of a person's own account: another password, and the browsers that are logged in."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.access.audit import AuditAction, note
from db.access.login_sessions import end_session, sessions_of
from readfirst.access.credentials import LEAST_PASSWORD, MOST_PASSWORD, check_password, digest
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from worklist.api.cursors import GREATEST_ID
from worklist.pages.account.login import FormText, give_cookie
from worklist.security.login_service import Attempt, change_password
from worklist.security.policy import policy
from worklist.security.principal import Principal, address_of, cookie_name
from worklist.services.dependencies import AuthenticatorDep, CurrentUser, DatabaseDep
from worklist.services.forms import OwnForm
from worklist.services.study_texts import minute
from worklist.services.templating import TEMPLATES

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

NOT_CONFIRMED = "The password so far is wrong, or there were too many attempts; then wait a while."


@router.get("/account")
@policy(Role.READER)
def account_page(
    request: Request, user: CurrentUser, changed: bool = False, ended: bool = False
) -> Response:
    """The page. changed: the password just was. ended: a session just was."""
    _person(user)
    return _page(request, user, changed=changed, ended=ended)


@router.post("/account/sessions/{number}/end", dependencies=[OwnForm])
@policy(Role.READER)
def end(
    user: CurrentUser,
    database: DatabaseDep,
    number: Annotated[int, Path(ge=1, le=GREATEST_ID)],
) -> Response:
    """End one of one's own sessions."""
    name = _person(user)
    with database.write() as session:
        if not end_session(session, name, number):
            raise HTTPException(404, "You have no such session.")
        note(session, user.actor, AuditAction.SESSION_ENDED, datetime.now(UTC), subject=name)
    return RedirectResponse("/account?ended=true", 303)


@router.post("/account/password", dependencies=[OwnForm])
@policy(Role.READER)
def password(
    request: Request,
    user: CurrentUser,
    authenticator: AuthenticatorDep,
    current: FormText = "",
    new: FormText = "",
    again: FormText = "",
) -> Response:
    """Set another password."""
    name = _person(user)
    wrong = _password_fault(new, again, name)
    if wrong is not None:
        return _page(request, user, wrong=wrong, status=422)
    at = datetime.now(UTC)
    attempt = Attempt(name, current[: MOST_PASSWORD + 1], address_of(request), at)
    secret = change_password(authenticator.database, authenticator.policy, attempt, new)
    if secret is None:
        return _page(request, user, wrong=NOT_CONFIRMED, status=403)
    answer = RedirectResponse("/account?changed=true", 303)
    give_cookie(request, answer, secret)
    return answer


def _password_fault(new: str, again: str, name: str) -> str | None:
    """The reason why a password cannot be set; None if it can."""
    try:
        check_password(new, name)
    except Misconfigured as refusal:
        return str(refusal)
    return None if new == again else "The new password and its repetition differ."


def _person(user: Principal) -> str:
    if user.account is None:
        raise HTTPException(404, "Nobody has to log in here: there is no account.")
    return user.account


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in words."""

    number: int
    opened: str
    used: str
    address: str
    is_own: bool


def _sessions(request: Request, user: Principal) -> list[SessionRow]:
    state = request.app.state
    own = digest(request.cookies.get(cookie_name(request), ""))
    lifetimes = state.authenticator.policy.lifetimes
    with state.database.read() as session:
        rows = sessions_of(session, _person(user), datetime.now(UTC), lifetimes, own_sha256=own)
    zone = state.settings.zone
    return [
        SessionRow(
            row.number,
            minute(row.opened_at, zone),
            minute(row.used_at, zone),
            row.address or gettext("unknown"),
            row.is_own,
        )
        for row in rows
    ]


def _page(
    request: Request,
    user: Principal,
    *,
    changed: bool = False,
    ended: bool = False,
    wrong: str = "",
    status: int = 200,
) -> Response:
    context = {
        "changed": changed,
        "ended": ended,
        "wrong": wrong,
        "least": LEAST_PASSWORD,
        "most": MOST_PASSWORD,
        "sessions": _sessions(request, user),
    }
    return TEMPLATES.TemplateResponse(request, "account.html", context, status)
