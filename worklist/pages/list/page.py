"""The worklist as a page: the list, and what it asks for again when something happened."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from db.access.audit import AuditAction
from db.inbox.inbox_issues import InboxSummary, inbox_summary
from db.lifecycle.outbox import Channel, outbox_counts
from db.session import Database
from db.work_faults import DelayedFilms, delayed_films, work_faults
from db.worklist.counts import MOST, any_study, institutions, unread_priors, worklist_counts
from db.worklist.queries import reading_page
from db.worklist.readers import readers_by_study
from db.worklist.refused import count_unreadable
from ingest.inbox.disk import intake_disk_space
from readfirst.access.roles import Role
from readfirst.files.folders import folder_fault
from readfirst.language.formats import moment_text
from readfirst.language.texts import gettext
from readfirst.machine_faults import WorkFault
from readfirst.settings import Settings
from worklist.pages.list.query import WorklistRefresh
from worklist.pages.list.rows import page_rows
from worklist.pages.list.saved_filters import filters_of
from worklist.pages.list.summary import list_summary
from worklist.security.policy import policy
from worklist.services.dependencies import CurrentUser, DatabaseDep, NowDep, SettingsDep
from worklist.services.reader_texts import reader_text
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

#: To everybody who looks, while the site is silent.
SILENT_BANNER = (
    "Silent mode: the AI scores every film, but nothing is ranked by it, and its results are shown "
    "to nobody. STAT studies come first, the others in the order of their arrival."
)
#: For so long the list counts files that could not be read, unless somebody dismisses them.
UNREADABLE_FOR = timedelta(days=30)
Address = Annotated[WorklistRefresh, Query()]
#: Words of a name or a number: in the body, since addresses are logged and remembered.
Text = Annotated[str | None, Form(max_length=200, pattern=r"^[^\x00]*$")]


@router.get("/")
@policy(Role.READER, audit=AuditAction.LIST_VIEWED)
def page(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    now: NowDep,
    query: Address,
) -> Response:
    """The page."""
    return _page(request, query, _context(database, settings, now, query, user.account))


@router.post("/")
@policy(Role.READER, audit=AuditAction.LIST_VIEWED)
def search(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    now: NowDep,
    query: Address,
    text: Text = None,
) -> Response:
    """The page by a text."""
    return _page(request, query, _context(database, settings, now, query, user.account, text))


@router.get("/rows")
# The list refreshes itself: what it has shown already is not noted again.
@policy(Role.READER, audit=AuditAction.LIST_VIEWED, attended=False, each_time=False)
def again(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    now: NowDep,
    query: Address,
) -> Response:
    """The list alone, for when the page asks again."""
    context = _context(database, settings, now, query, user.account)
    return TEMPLATES.TemplateResponse(request, "list.html", context)


@router.post("/rows")
# As above.
@policy(Role.READER, audit=AuditAction.LIST_VIEWED, attended=False, each_time=False)
def search_again(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    now: NowDep,
    query: Address,
    text: Text = None,
) -> Response:
    """The list alone, by a text."""
    context = _context(database, settings, now, query, user.account, text)
    return TEMPLATES.TemplateResponse(request, "list.html", context)


def _page(request: Request, query: WorklistRefresh, context: dict[str, Any]) -> Response:
    if query.before and not context["previous_page"]:
        # The first page, by its own address, so that it is full; sent again with its text.
        return RedirectResponse(query.address(), 307)
    saved = filters_of(request.app.state.database, request.state.principal.account)
    return TEMPLATES.TemplateResponse(request, "worklist.html", context | {"saved": saved})


def _context(
    database: Database,
    settings: Settings,
    now: datetime,
    query: WorklistRefresh,
    account: str | None,
    text: str | None = None,
) -> dict[str, Any]:
    """The values that the templates name. account: of whoever looks."""
    after, before = query.positions()
    which = query.which(now, settings.zone, text)
    with database.read() as session:
        page = reading_page(
            session,
            limit=query.rows,
            which=which,
            order=query.order,
            after=after,
            before=before,
            through=query.through,
            display=settings.display(now, to_reader=True),
        )
        counts = worklist_counts(session)
        readers = {
            uid: reader_text(others, account)
            for uid, others in readers_by_study(session, now).items()
        }
        rows = page_rows(page.studies, now, settings.zone, settings.max_wait, readers)
        return {
            "query": query,
            "text": text,
            "rows": rows,
            "previous_page": query.page(before=page.start),
            "next_page": query.page(cursor=page.end),
            "worklist_counts": counts,
            "summary": list_summary(session, query, which, page, counts),
            "most": MOST,
            # A list that is empty since all of it came in for comparison says so.
            "unread_priors": 0 if page.studies else unread_priors(session),
            "any_study": bool(page.studies) or any_study(session),
            "sites": institutions(session),
            "banners": banners(settings, inbox_summary(session))
            + work_banners(work_faults(session), delayed_films(session), settings.zone)
            + message_banners(session, settings.escalate_after_minutes is not None),
            "inbox": settings.inbox_path,
            "max_wait_seconds": round(settings.max_wait.total_seconds()),
            "unreadable": count_unreadable(session, now - UNREADABLE_FOR),
            "hides_ai": settings.hides_ai,
            "silent": gettext(SILENT_BANNER) if settings.is_silent else "",
            "zone": settings.zone.key,
        }


def banners(settings: Settings, inbox: InboxSummary) -> list[str]:
    """The sentences that everybody who looks at the worklist must know."""
    room = intake_disk_space(settings)
    sentences = [] if room.enough else [room.sentence]
    gone = inbox.gone
    if not gone and (fault := folder_fault(settings.inbox_path)):
        # The ingester has not looked yet, or does not run.
        gone = (gettext("The inbox cannot be used: {fault}").format(fault=fault),)
    if inbox.left and not gone:
        left = gettext("{number} left in the inbox and not taken: `readfirst inbox` says why.")
        sentences.append(left.format(number=inbox.left))
    return [*sentences, *gone]


def message_banners(session: Session, escalates: bool) -> list[str]:
    """The sentence that escalations do not reach those who are to be told."""
    counts = [outbox_counts(session, channel) for channel in Channel] if escalates else []
    if not any(each.last_error for each in counts):
        return []
    return [
        gettext(
            "Messages of urgent unread studies cannot be delivered: `readfirst doctor` says why. "
            "They are tried again."
        )
    ]


def work_banners(
    faults: Sequence[WorkFault], delayed: DelayedFilms | None, zone: ZoneInfo
) -> list[str]:
    """The sentences of faults that stop work, or else of films that are tried again."""
    if not faults:
        return [delayed.sentence] if delayed else []
    text = gettext("Since {time}: {fault}")
    return [
        text.format(
            time=moment_text(fault.since, "minute_of_year", zone),
            fault=f"{fault.sentence} {fault.advice}",
        )
        for fault in faults
    ]
