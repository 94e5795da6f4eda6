"""The destinations of the site: what waits for each, what was given up, tried and sent again.

Where results go is changed at the command line alone: an address names files of the machine, and
lets patients' data leave.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from db.access.audit import Actor, AuditAction
from db.destinations.changes import switch_destination
from db.destinations.queries import (
    OutgoingRecord,
    all_destinations,
    destination_counts,
    find_destination,
    outgoing_results,
)
from db.destinations.records import DestinationCounts, DestinationRecord
from db.lifecycle.sending.outcomes import send_again
from db.session import Database
from readfirst.access.roles import Role
from readfirst.destinations.states import SendingState
from readfirst.errors import NotThere, Unavailable
from readfirst.language.texts import gettext
from readfirst.tasks.names import TaskName
from results.destinations.trying import try_destination
from worklist.api.cursors import GREATEST_ID
from worklist.http.problems import NOT_FOUND, TAKEN
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    Notifier,
    NotifierDep,
    NowDep,
    SettingsDep,
)
from worklist.services.forms import OwnForm
from worklist.services.templating import TEMPLATES

#: Results of each kind that are listed; `readfirst destinations waiting` has them all.
MOST_RESULTS = 100

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()

Name = Annotated[str, Path(max_length=64, description="The destination's name.")]
Number = Annotated[int | None, Form(ge=1, le=GREATEST_ID)]


class DestinationAction(StrEnum):
    """The actions on a destination that a page may take."""

    TEST = "test"
    ENABLE = "enable"
    DISABLE = "disable"
    SEND_AGAIN = "send_again"


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """A destination, and the numbers of its results."""

    destination: DestinationRecord
    counts: DestinationCounts


@dataclass(frozen=True, slots=True)
class SiteDestinations:
    """Every destination, by name. given_up, waiting: the latest results first, at most 100 each."""

    destinations: tuple[DestinationStatus, ...]
    given_up: tuple[OutgoingRecord, ...]
    waiting: tuple[OutgoingRecord, ...]


@dataclass(frozen=True, slots=True)
class DestinationAnswer:
    """The outcome of an action. well: false where a destination that was tried does not answer."""

    well: bool
    sentence: str


class WantedAction(BaseModel):
    """An action. result: the number of the one to send again; else all that were given up."""

    action: DestinationAction
    result: int | None = Field(None, ge=1, le=GREATEST_ID)


@page.get("/admin/destinations", name="admin_destinations")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def destinations_page(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """The page."""
    return _page(request, database, settings.zone)


@page.post("/admin/destinations/{name}", dependencies=[OwnForm])
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def act_by_form(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    notify: NotifierDep,
    at: NowDep,
    name: Name,
    action: Annotated[DestinationAction, Form()],
    result: Number = None,
) -> Response:
    """Try a destination, switch it on or off, or send again; and say what came of it."""
    wanted = WantedAction(action=action, result=result)
    answer = _act(database, user.actor, name, wanted, at, notify)
    return _page(request, database, settings.zone, answer)


@api.get(
    "/destinations",
    operation_id="getDestinations",
    response_model=SiteDestinations,
    responses=NOT_MODIFIED,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def destinations(request: Request, database: DatabaseDep) -> Response:
    """Every destination, what waits for it, and what was given up, each with the reason.

    They are added and changed by `readfirst destinations`.
    """
    return answer_json(request, _site_destinations(database))


@api.post(
    "/destinations/{name}/actions",
    operation_id="actOnDestination",
    response_model=DestinationAnswer,
    responses=TAKEN | NOT_FOUND,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def act_on_destination(
    user: CurrentUser,
    database: DatabaseDep,
    notify: NotifierDep,
    at: NowDep,
    name: Name,
    wanted: WantedAction,
) -> Response:
    """Try whether a destination answers, switch it on or off, or send results again.

    Nothing of a study is sent to try it.
    """
    answer = _act(database, user.actor, name, wanted, at, notify)
    return Response(as_json(answer), media_type="application/json")


def _act(
    database: Database, by: Actor, name: str, wanted: WantedAction, at: datetime, notify: Notifier
) -> DestinationAnswer:
    """Take an action. Raises HTTPException (404) where there is no such destination or result."""
    try:
        if wanted.action is DestinationAction.TEST:
            return _try(database, by, name, at)
        if wanted.action is DestinationAction.SEND_AGAIN:
            sentence = _send_again(database, by, name, wanted.result, at)
        else:
            sentence = _switch(database, by, name, wanted.action, at)
    except NotThere as error:
        raise HTTPException(404, str(error)) from error
    # What waits may go at once.
    notify(TaskName.SEND)
    return DestinationAnswer(True, sentence)


def _try(database: Database, by: Actor, name: str, at: datetime) -> DestinationAnswer:
    try:
        return DestinationAnswer(True, try_destination(database, by, name, at))
    except Unavailable as error:
        return DestinationAnswer(False, str(error))


def _send_again(database: Database, by: Actor, name: str, number: int | None, at: datetime) -> str:
    with database.write() as session:
        destination = find_destination(session, name)
        numbers = None if number is None else [number]
        results = send_again(session, by, destination, at, numbers)
    if number is not None and not results:
        raise NotThere(f"{name} has no result {number} that is not waiting anyway.")
    text = gettext("Sent again to {name} within seconds: {results}.")
    return text.format(results=results, name=name)


def _switch(
    database: Database, by: Actor, name: str, action: DestinationAction, at: datetime
) -> str:
    enabled = action is DestinationAction.ENABLE
    with database.write() as session:
        switch_destination(session, by, name, at, enabled=enabled)
    if enabled:
        return gettext("{name} gets results, those first that wait.").format(name=name)
    return gettext("{name} gets no results. What waits goes on waiting.").format(name=name)


def _site_destinations(database: Database) -> SiteDestinations:
    with database.read() as session:
        rows, counts = all_destinations(session), destination_counts(session)
        given_up, waiting = (
            tuple(outgoing_results(session, states=[state], limit=MOST_RESULTS))
            for state in (SendingState.GIVEN_UP, SendingState.WAITING)
        )
    status = (DestinationStatus(row, counts.get(row.number, DestinationCounts())) for row in rows)
    return SiteDestinations(tuple(status), given_up, waiting)


def _page(
    request: Request,
    database: Database,
    zone: object,
    answer: DestinationAnswer | None = None,
) -> Response:
    context = {
        "site": _site_destinations(database),
        "zone": zone,
        "done": answer if answer and answer.well else None,
        "wrong": answer if answer and not answer.well else None,
    }
    return TEMPLATES.TemplateResponse(request, "admin/destinations.html", context)
