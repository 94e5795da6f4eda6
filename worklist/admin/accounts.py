"""Accounts: who there is, as what, when last seen; and every change of them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from db.access.account_changes import AccountChange
from db.access.account_details import AccountDetail, account_details
from db.access.accounts import exists
from db.access.audit import AuditAction
from db.access.login_sessions import SessionRecord, sessions_of
from db.session import Database
from readfirst.access.credentials import LEAST_PASSWORD, MOST_PASSWORD
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.formatting import short_duration
from readfirst.language.texts import gettext
from worklist.admin import account_service
from worklist.admin.account_service import Changed
from worklist.http.problems import NOT_FOUND, TAKEN, as_problem
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import (
    AuthenticatorDep,
    CurrentUser,
    DatabaseDep,
    NowDep,
)
from worklist.services.forms import FormText, OwnForm
from worklist.services.study_texts import minute
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()

Name = Annotated[str, Path(max_length=64, description="The account's name.")]
PASSWORD_HELP = "Left out: one is made, and answered once."  # noqa: S105 - words of the document


class AddedAccount(BaseModel):
    """An account to be added."""

    name: str = Field(max_length=64, description="Small letters, digits, and . _ @ -")
    role: Role = Role.READER
    password: str | None = Field(None, max_length=MOST_PASSWORD, description=PASSWORD_HELP)


class ChangedAccount(BaseModel):
    """A change of an account. role: for `role`. password: for `password`."""

    change: AccountChange
    role: Role | None = None
    password: str | None = Field(None, max_length=MOST_PASSWORD, description=PASSWORD_HELP)


@page.get("/admin/accounts", name="admin_accounts")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def accounts_page(request: Request) -> Response:
    """The page."""
    return _page(request)


@page.post("/admin/accounts", dependencies=[OwnForm])
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def add_by_form(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    at: NowDep,
    name: FormText = "",
    role: Annotated[Role, Form()] = Role.READER,
    password: FormText = "",
) -> Response:
    """Add an account; what was made for it is on this answer alone."""
    try:
        done = account_service.add(database, user.actor, name, role, password, at)
    except Misconfigured as refusal:
        return _page(request, wrong=str(refusal))
    return _page(request, done=done)


@page.post("/admin/accounts/{name}", dependencies=[OwnForm])
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def change_by_form(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    at: NowDep,
    name: Name,
    change: Annotated[AccountChange, Form()],
    role: Annotated[Role | None, Form()] = None,
    password: FormText = "",
) -> Response:
    """Change an account; what was made for it is on this answer alone."""
    try:
        done = account_service.change(
            database, user.actor, name, change, at, role=role, password=password
        )
    except Misconfigured as refusal:
        return _page(request, wrong=str(refusal))
    return _page(request, done=done)


@api.get(
    "/accounts",
    operation_id="getAccounts",
    response_model=list[AccountDetail],
    responses=NOT_MODIFIED,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def accounts(
    request: Request, database: DatabaseDep, authenticator: AuthenticatorDep, at: NowDep
) -> Response:
    """Every account: role, last seen, sessions, locked or disabled."""
    with database.read() as session:
        rows = account_details(
            session, at, authenticator.policy.lifetimes, authenticator.policy.account_limit
        )
    return answer_json(request, rows)


@api.post(
    "/accounts",
    operation_id="addAccount",
    status_code=201,
    response_model=Changed,
    responses=TAKEN,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def add_account(
    user: CurrentUser, database: DatabaseDep, at: NowDep, new: AddedAccount
) -> Response:
    """Add an account. `secret` is its token or the password that was made, and is answered once."""
    with as_problem():
        done = account_service.add(database, user.actor, new.name, new.role, new.password or "", at)
    return _json(done, 201)


@api.post(
    "/accounts/{name}/changes",
    operation_id="changeAccount",
    response_model=Changed,
    responses=NOT_FOUND | TAKEN,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def change_account(
    user: CurrentUser, database: DatabaseDep, at: NowDep, name: Name, wanted: ChangedAccount
) -> Response:
    """Change an account: its role, its secret, or whether it is let in."""
    _check_exists(database, name)
    with as_problem():
        done = account_service.change(
            database,
            user.actor,
            name,
            wanted.change,
            at,
            role=wanted.role,
            password=wanted.password or "",
        )
    return _json(done, 200)


@api.get(
    "/accounts/{name}/sessions",
    operation_id="getAccountSessions",
    response_model=list[SessionRecord],
    responses=NOT_MODIFIED | NOT_FOUND,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def sessions(
    request: Request, database: DatabaseDep, authenticator: AuthenticatorDep, at: NowDep, name: Name
) -> Response:
    """Where an account is logged in."""
    _check_exists(database, name)
    with database.read() as session:
        rows = sessions_of(session, name, at, authenticator.policy.lifetimes)
    return answer_json(request, rows)


def _check_exists(database: Database, name: str) -> None:
    with database.read() as session:
        if not exists(session, name):
            raise HTTPException(404, "There is no account of this name.")


def _json(done: Changed, status: int) -> Response:
    return Response(as_json(done), status, media_type="application/json")


def _page(request: Request, *, done: Changed | None = None, wrong: str = "") -> Response:
    state, at = request.app.state, datetime.now(tz=request.app.state.settings.zone)
    rules = state.authenticator.policy
    with state.database.read() as session:
        rows = account_details(session, at, rules.lifetimes, rules.account_limit)
        where = {
            row.name: sessions_of(session, row.name, at, rules.lifetimes)
            for row in rows
            if row.sessions
        }
    context = {
        "rows": rows,
        "sessions": where,
        "done": done,
        "wrong": wrong,
        "roles": list(Role),
        "persons": [role for role in Role if role is not Role.SERVICE],
        "least": LEAST_PASSWORD,
        "most": MOST_PASSWORD,
        "zone": state.settings.zone,
        "minute": minute,
        "ago": lambda moment: gettext("{duration} ago").format(
            duration=short_duration(at - moment)
        ),
        "minutes_to": lambda moment: max(1, round((moment - at).total_seconds() / 60)),
    }
    status = 422 if wrong else 200
    return TEMPLATES.TemplateResponse(request, "admin/accounts.html", context, status)
