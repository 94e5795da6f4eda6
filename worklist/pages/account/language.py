"""The choice of a language: kept with the account, or by the browser where there is none."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.access.languages import save_language
from readfirst.access.roles import Role
from readfirst.language.languages import NAMES
from worklist.http.language import COOKIE
from worklist.pages.account.login import FormText, local_path
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep
from worklist.services.forms import OwnForm

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

KEPT = timedelta(days=365)


@router.post("/language", dependencies=[OwnForm])
@policy(Role.READER)
def choose_language(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    language: Annotated[str, Form(max_length=8)],
    back: FormText = "/",
) -> Response:
    """Keep the choice, and lead back. The browser keeps it too, for its log-in page."""
    if language not in NAMES:
        raise HTTPException(422, "There is no such language here.")
    if user.account is not None:
        with database.write() as session:
            save_language(session, user.account, language)
    answer = RedirectResponse(local_path(back), 303)
    answer.set_cookie(
        COOKIE,
        language,
        max_age=round(KEPT.total_seconds()),
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer
