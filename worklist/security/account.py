"""The page of one's own account: who one is here, and another password."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from readfirst.credentials import LEAST_PASSWORD, MOST_PASSWORD, check_password
from readfirst.errors import Misconfigured
from worklist.pages.templates import TEMPLATES
from worklist.security.answers import forbidden
from worklist.security.gate import Gate
from worklist.security.logging_in import Attempt, change_password
from worklist.security.login import FormText, give_cookie
from worklist.security.visitor import Visitor, Who, address_of, same

NOT_CONFIRMED = "The password so far is wrong, or there were too many attempts; then wait a while."


def add_account(app: FastAPI, gate: Gate) -> None:
    """Add the routes."""

    @app.get("/account", response_class=HTMLResponse, include_in_schema=False)
    def account_page(request: Request, who: Who, changed: bool = False) -> Response:
        _person(who)
        return _page(request, changed=changed)

    @app.post("/account/password", response_class=HTMLResponse, include_in_schema=False)
    def password(
        request: Request,
        who: Who,
        current: FormText = "",
        new: FormText = "",
        again: FormText = "",
        token: Annotated[str, Form(alias="form_token")] = "",
    ) -> Response:
        name = _person(who)
        if not same(token, who.form_token):
            return forbidden("This form is too old: load the page again.")
        try:
            check_password(new, name)
        except Misconfigured as refusal:
            return _page(request, wrong=str(refusal), status=422)
        if new != again:
            return _page(request, wrong="The new password and its repetition differ.", status=422)
        at = datetime.now(UTC)
        attempt = Attempt(name, current[: MOST_PASSWORD + 1], address_of(request), at)
        secret = change_password(gate.database, gate.terms, attempt, new)
        if secret is None:
            return _page(request, wrong=NOT_CONFIRMED, status=403)
        answer = RedirectResponse("/account?changed=true", 303)
        give_cookie(request, answer, secret)
        return answer


def _person(who: Visitor) -> str:
    if who.account is None:
        raise HTTPException(404, "Nobody has to log in here: there is no account.")
    return who.account


def _page(
    request: Request, *, changed: bool = False, wrong: str = "", status: int = 200
) -> Response:
    shown = {"changed": changed, "wrong": wrong, "least": LEAST_PASSWORD, "most": MOST_PASSWORD}
    return TEMPLATES.TemplateResponse(request, "account.html", shown, status)
