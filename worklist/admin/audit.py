"""The audit log: searched, page by page, and as CSV. Looking at it is noted too."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, Field

from db.access.accounts import all_accounts
from db.access.audit import AuditAction, AuditRecord
from db.access.audit_search import AuditFilter, every_line, search_audit
from readfirst.access.roles import Role
from readfirst.calendar import EARLIEST_DAY, LATEST_WHOLE_DAY
from worklist.api.cursors import GREATEST_ID, next_page, of_row, row_id
from worklist.api.parameters import NO_NUL, STUDY_UID, AsDay, AsNumber, Cursor, Limit, Moment
from worklist.http.csv_stream import stream_csv
from worklist.http.responses import ROWS, Format, Wanted, answer_rows, chosen
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()

#: Rows of a page.
ROWS_OF_PAGE = 100
FILE_NAME = "readfirst-audit.csv"

# A form sends its empty fields too.
AsChosen = BeforeValidator(lambda written: None if written == "" else written)
Account = Annotated[
    Annotated[str, Field(max_length=64, pattern=NO_NUL)] | None,
    Query(description="Only by this account."),
    AsChosen,
]
Action = Annotated[AuditAction | None, Query(description="Only of this action."), AsChosen]
Study = Annotated[
    Annotated[str, Field(pattern=STUDY_UID)] | None,
    Query(description="Only of this Study Instance UID, with the lists that showed it."),
    AsChosen,
]
Day = Annotated[
    Annotated[date, Field(ge=EARLIEST_DAY, le=LATEST_WHOLE_DAY), AsDay] | None, AsChosen
]
NotedSince = Annotated[
    Moment | None, Query(description="Only what was noted then or later; a time with its zone.")
]
NotedUntil = Annotated[Moment | None, Query(description="Only what was noted before then.")]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the audit log."""

    entries: tuple[AuditRecord, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """The fields of the page's form. first, last: days in the site's zone, both included."""

    account: Account = None
    action: Action = None
    first: Annotated[Day, Query(alias="from")] = None
    last: Annotated[Day, Query(alias="to")] = None
    study: Study = None

    def filter(self, settings: SettingsDep) -> AuditFilter:
        """The same for the query."""

        def midnight(day: date) -> datetime:
            return datetime.combine(day, time(), settings.zone)

        return AuditFilter(
            account=self.account.strip().lower() if self.account else None,
            action=self.action,
            since=midnight(self.first) if self.first else None,
            until=midnight(self.last + timedelta(days=1)) if self.last else None,
            study_instance_uid=self.study,
        )

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        fields: dict[str, Any] = {
            "account": self.account,
            "action": self.action.value if self.action else None,
            "from": self.first,
            "to": self.last,
            "study": self.study,
        }
        return urlencode({name: str(value) for name, value in fields.items() if value})


def search(
    account: Account = None,
    action: Action = None,
    first: Annotated[Day, Query(alias="from")] = None,
    last: Annotated[Day, Query(alias="to")] = None,
    study: Study = None,
) -> AuditSearch:
    """The fields of the page's form."""
    return AuditSearch(account, action, first, last, study)


SearchDep = Annotated[AuditSearch, Depends(search)]


@page.get("/admin/audit", name="admin_audit")
@policy(Role.ADMIN, audit=AuditAction.AUDIT_VIEWED)
def audit_page(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    search: SearchDep,
    before: Annotated[int | None, Query(ge=1, le=GREATEST_ID), AsNumber] = None,
) -> Response:
    """The page. before: the number of the last line of the page before it."""
    with database.read() as session:
        which = search.filter(settings)
        lines = search_audit(session, which, limit=ROWS_OF_PAGE + 1, before=before)
        names = [account.name for account in all_accounts(session)]
    visible = lines[:ROWS_OF_PAGE]
    context = {
        "rows": [line.record for line in visible],
        "older": visible[-1].number if len(lines) > ROWS_OF_PAGE else None,
        "is_first": before is None,
        "search": search,
        "actions": sorted(AuditAction),
        "accounts": names,
        "zone": settings.zone,
    }
    return TEMPLATES.TemplateResponse(request, "admin/audit.html", context)


@page.get("/admin/audit.csv", name="admin_audit_csv")
@policy(Role.ADMIN, audit=AuditAction.AUDIT_VIEWED)
def audit_file(database: DatabaseDep, settings: SettingsDep, search: SearchDep) -> Response:
    """Every line that fits, as CSV."""
    rows = every_line(database, search.filter(settings))
    return stream_csv(AuditRecord, rows, FILE_NAME)


@api.get("/audit", operation_id="getAuditLog", response_model=AuditPage, responses=ROWS)
@policy(Role.ADMIN, audit=AuditAction.AUDIT_VIEWED)
def audit(
    request: Request,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
    account: Account = None,
    action: Action = None,
    since: NotedSince = None,
    until: NotedUntil = None,
    study: Study = None,
    wanted: Wanted = None,
) -> Response:
    """Who did or saw what, the latest first. As CSV all lines that fit, whatever `limit` says."""
    which = AuditFilter(
        account=account.lower() if account else None,
        action=action,
        since=since,
        until=until,
        study_instance_uid=study,
    )
    if chosen(request, wanted) is Format.CSV:
        return stream_csv(AuditRecord, every_line(database, which), FILE_NAME)
    before = row_id(cursor) if cursor else None
    with database.read() as session:
        lines = search_audit(session, which, limit=limit + 1, before=before)
    rows = tuple(line.record for line in lines[:limit])
    end = of_row(lines[limit - 1].number) if len(lines) > limit else None
    whole = AuditPage(rows, end)
    return answer_rows(
        request, Format.JSON, AuditRecord, rows, whole=whole, next_page=next_page(request, end)
    )
