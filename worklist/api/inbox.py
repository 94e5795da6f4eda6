"""What lies in the inbox and is not taken."""

from fastapi import APIRouter, Request, Response

from db.notices import NoticeView, inbox_notices
from db.session import Database
from worklist.api.answers import ROWS, Wanted, answer_rows


def add_inbox(router: APIRouter, database: Database) -> None:
    """Add the list."""

    @router.get(
        "/inbox",
        operation_id="getInbox",
        tags=["refusals"],
        response_model=list[NoticeView],
        responses=ROWS,
    )
    def inbox(request: Request, wanted: Wanted = None) -> Response:
        """What lies in the inbox and is not taken, and why."""
        with database.read() as session:
            rows = inbox_notices(session)
        return answer_rows(request, wanted, NoticeView, rows)
