"""The page of what is not scored: films and files, with the reasons, and what can be done."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.access.audit import AuditAction
from db.lifecycle.unit_of_work import unit_of_work
from db.lifecycle.verdicts import MOST_COMMENT, dismiss
from db.read_models import RefusedRecord
from db.session import Database
from db.worklist.refused import (
    RefusedFilter,
    RefusedPosition,
    count_refused_before,
    refused_counts,
    refused_images,
)
from db.worklist.wanted_retries import pending_retries, retry_outcome, want_retry
from readfirst.access.roles import Role
from readfirst.formatting import readable_name
from readfirst.refusals import SENTENCES, RefusalCode
from worklist.api.cursors import GREATEST_ID, of_refused, refused_position
from worklist.api.parameters import NO_NUL
from worklist.http.csv_stream import stream_csv
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    LifecycleDep,
    RequestDisclosures,
    SettingsDep,
)
from worklist.services.forms import OwnForm
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

#: Rows of a page, and of one piece of the CSV.
PAGE_ROWS, PIECE_ROWS = 50, 500
ImageId = Annotated[int, Path(ge=1, le=GREATEST_ID)]
Position = Annotated[str | None, Query(max_length=100)]


@router.get("/refused")
@policy(Role.READER, audit=AuditAction.LIST_VIEWED)
def refused(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    code: RefusalCode | None = None,
    cursor: Position = None,
    tried: Position = None,
) -> Response:
    """The page. code: only what was refused by it. cursor: where it begins.

    tried: the moment of a retry that is followed.
    """
    which, after = RefusedFilter(code=code), refused_position(cursor) if cursor else None
    with database.read() as session:
        counts = refused_counts(session)
        rows = refused_images(session, limit=PAGE_ROWS + 1, which=which, after=after)
        pending = pending_retries(session, [row.image_id for row in rows])
        outcome = retry_outcome(session, refused_position(tried).refused_at) if tried else None
        before = count_refused_before(session, after, which=which) if after else 0
    is_more, rows = len(rows) > PAGE_ROWS, rows[:PAGE_ROWS]
    context = {
        "rows": rows,
        "counts": counts,
        "total": sum(counts.values()),
        "listed": counts.get(code, 0) if code else sum(counts.values()),
        "first": before + 1,
        "code": code,
        "query": f"code={code.value}&" if code else "",
        "cursor": cursor,
        "pending": pending,
        "outcome": outcome,
        "may_retry": user.role.may(Role.LEAD),
        "next": of_refused(_position(rows[-1])) if is_more else None,
        "sentences": SENTENCES,
        "readable_name": readable_name,
        "most_comment": MOST_COMMENT,
        "zone": settings.zone,
    }
    return TEMPLATES.TemplateResponse(request, "refused.html", context)


@router.get("/refused.csv")
@policy(Role.READER, audit=AuditAction.LIST_VIEWED)
def refused_as_csv(database: DatabaseDep, code: RefusalCode | None = None) -> Response:
    """All rows as CSV, however many there are."""
    rows = _every_row(database, RefusedFilter(code=code))
    return stream_csv(RefusedRecord, rows, "not-scored.csv")


@router.post("/refused/retry", dependencies=[OwnForm])
# Noted in its own transaction.
@policy(Role.LEAD)
def try_again(
    user: CurrentUser,
    database: DatabaseDep,
    rules: LifecycleDep,
    image_id: Annotated[int | None, Form(ge=1, le=GREATEST_ID)] = None,
    code: Annotated[RefusalCode | None, Form()] = None,
) -> Response:
    """Have one image tried again, or all of a code, or all; then follow what becomes of them."""
    with unit_of_work(database, rules) as unit:
        want_retry(unit, RefusedFilter(code=code), user.actor, image_id=image_id)
        followed = of_refused(RefusedPosition(unit.at, 0))
    of_code = f"code={code.value}&" if code else ""
    return RedirectResponse(f"/refused?{of_code}tried={followed}", 303)


@router.post("/refused/{image_id}/dismiss", dependencies=[OwnForm])
# Noted in its own transaction, as a verdict without an opinion.
@policy(Role.READER)
def dismiss_image(
    user: CurrentUser,
    disclosures: RequestDisclosures,
    database: DatabaseDep,
    rules: LifecycleDep,
    image_id: ImageId,
    note: Annotated[str, Form(max_length=MOST_COMMENT, pattern=NO_NUL)] = "",
    back: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Dismiss what is not scored: its study is read, and nothing of it waits."""
    with unit_of_work(database, rules) as unit:
        if not dismiss(unit, image_id, user.actor, note):
            raise HTTPException(404, "No such image is refused.")
    disclosures.noted = True
    onward = f"/refused?{back}" if back and back.isascii() and back.isprintable() else "/refused"
    return RedirectResponse(f"{onward}#image-{image_id}", 303)


def _every_row(database: Database, which: RefusedFilter) -> Iterator[RefusedRecord]:
    """Every row, a slice in memory at a time. No transaction stays open."""
    after: RefusedPosition | None = None
    while True:
        with database.read() as session:
            rows = refused_images(session, limit=PIECE_ROWS, which=which, after=after)
        yield from rows
        if len(rows) < PIECE_ROWS:
            return
        after = _position(rows[-1])


def _position(row: RefusedRecord) -> RefusedPosition:
    return RefusedPosition(row.refused_at, row.image_id)
