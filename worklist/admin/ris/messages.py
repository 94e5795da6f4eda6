"""HL7 messages that could not be read: listed without what they say, tried again or removed."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.access.audit import AuditAction, note
from db.ris.messages import KeptMessage, drop, kept_count, kept_messages, want_retry
from readfirst.access.roles import Role
from readfirst.ris.codes import MESSAGE_SENTENCES
from worklist.api.cursors import GREATEST_ID
from worklist.http.responses import ROWS, Wanted, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep, NowDep, SettingsDep
from worklist.services.forms import OwnForm
from worklist.services.templating import TEMPLATES

#: Messages that are listed; `readfirst hl7 list` has them all.
MOST_MESSAGES = 100

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()

Number = Annotated[int, Path(ge=1, le=GREATEST_ID)]


class MessageAction(StrEnum):
    """The actions on a message that could not be read."""

    RETRY = "retry"
    REMOVE = "remove"


AUDITED = {
    MessageAction.RETRY: AuditAction.MESSAGE_RETRY_WANTED,
    MessageAction.REMOVE: AuditAction.MESSAGE_REMOVED,
}


@page.get("/admin/messages", name="admin_messages")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def messages_page(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """The page."""
    with database.read() as session:
        rows, total = kept_messages(session, limit=MOST_MESSAGES), kept_count(session)
    context = {
        "rows": rows,
        "total": total,
        "listens": settings.hl7_port is not None,
        "sentences": {code.value: text for code, text in MESSAGE_SENTENCES.items()},
        "zone": settings.zone,
    }
    return TEMPLATES.TemplateResponse(request, "admin/messages.html", context)


@page.post("/admin/messages/{number}", dependencies=[OwnForm])
# Noted in its own transaction.
@policy(Role.ADMIN)
def act(
    user: CurrentUser,
    database: DatabaseDep,
    at: NowDep,
    number: Number,
    action: Annotated[MessageAction, Form()],
) -> Response:
    """Have a message tried again, by a worker within seconds, or remove it for good."""
    with database.write() as session:
        is_retry = action is MessageAction.RETRY
        if not (want_retry(session, number, at) if is_retry else drop(session, number)):
            raise HTTPException(404, "No such message is kept.")
        note(session, user.actor, AUDITED[action], at, message=number)
    return RedirectResponse("/admin/messages", 303)


@api.get(
    "/messages",
    operation_id="getUnreadMessages",
    response_model=list[KeptMessage],
    responses=ROWS,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def messages(request: Request, database: DatabaseDep, wanted: Wanted = None) -> Response:
    """HL7 messages that could not be read, the latest first, without what they say."""
    with database.read() as session:
        rows = kept_messages(session, limit=MOST_MESSAGES)
    return answer_rows(request, wanted, KeptMessage, rows)
