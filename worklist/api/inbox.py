"""The files that lie in the inbox and are not taken."""

from fastapi import APIRouter, Request, Response

from db.access.audit import AuditAction
from db.inbox.inbox_issues import InboxIssueRecord, inbox_issues
from readfirst.access.roles import Role
from worklist.http.responses import ROWS, Wanted, answer_rows
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep

router = APIRouter(tags=["refusals"])


@router.get(
    "/inbox", operation_id="getInbox", response_model=list[InboxIssueRecord], responses=ROWS
)
@policy(Role.SERVICE, audit=AuditAction.INBOX_VIEWED)
def inbox(request: Request, database: DatabaseDep, wanted: Wanted = None) -> Response:
    """What lies in the inbox and is not taken, and why."""
    with database.read() as session:
        rows = inbox_issues(session)
    return answer_rows(request, wanted, InboxIssueRecord, rows)
