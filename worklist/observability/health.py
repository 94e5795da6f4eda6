"""Health and readiness: is the server alive, and is all of ReadFirst ready."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from db.ensembles.versions import active_ensemble
from db.migrate import is_current
from db.session import Database
from db.work_faults import delayed_films, work_faults
from ingest.inbox.disk import intake_disk_space
from readfirst.files.folders import folder_fault
from readfirst.settings import Settings
from readfirst.tasks.broker import broker_answers
from worklist.http.responses import as_json
from worklist.security.policy import public
from worklist.services.dependencies import DatabaseDep, SettingsDep

router = APIRouter(tags=["operation"])


@dataclass(frozen=True, slots=True)
class Alive:
    """That the server answers."""

    status: str


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. required: without it, ReadFirst is not ready."""

    name: str
    well: bool
    required: bool
    found: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether films that come in now are scored and shown, and what was looked at."""

    ready: bool
    checks: tuple[Check, ...]


@router.get("/healthz", operation_id="getLiveness")
@public
def healthz() -> Alive:
    """That the server answers; it asks nobody else, since a new start would not mend those."""
    return Alive("ok")


@router.get(
    "/readyz",
    operation_id="getReadiness",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something required is not well."}},
)
@public
def readyz(database: DatabaseDep, settings: SettingsDep) -> Response:
    """Whether database, disk, ensemble and work are well. The broker only makes it quicker."""
    checks = readiness(database, settings)
    ready = all(check.well or not check.required for check in checks)
    content = as_json(Readiness(ready, checks))
    return Response(content, 200 if ready else 503, media_type="application/json")


def readiness(database: Database, settings: Settings) -> tuple[Check, ...]:
    """Look at all that ReadFirst needs."""
    return (
        _database_check("database", lambda: _schema(database)),
        _disk(settings),
        _database_check("ensemble", lambda: _ensemble(database)),
        _database_check("work", lambda: _work(database)),
        _broker(settings),
    )


def _database_check(name: str, look: Callable[[], tuple[bool, str]]) -> Check:
    try:
        well, text = look()
    except SQLAlchemyError:
        return Check(name, False, True, "the database does not answer")
    return Check(name, well, True, text)


def _schema(database: Database) -> tuple[bool, str]:
    well = is_current(database)
    return well, "the schema of this release" if well else "another schema"


def _ensemble(database: Database) -> tuple[bool, str]:
    with database.read() as session:
        active = active_ensemble(session)
    if active is None:
        return False, "none is active yet: no worker has started"
    return True, active.version


def _work(database: Database) -> tuple[bool, str]:
    """Films that are tried again are told too, and hinder nobody."""
    with database.read() as session:
        faults, delayed = work_faults(session), delayed_films(session)
    if faults:
        return False, " ".join(f"{fault.since_when} {fault.advice}" for fault in faults)
    return True, delayed.sentence if delayed else "goes on"


def _disk(settings: Settings) -> Check:
    """See whether films can be taken from the inbox: it can be used, and there is room."""
    if fault := folder_fault(settings.inbox_path):
        return Check("disk", False, True, f"The inbox cannot be used: {fault}")
    room = intake_disk_space(settings)
    return Check("disk", room.enough, True, "intake is open" if room.enough else room.sentence)


def _broker(settings: Settings) -> Check:
    well = broker_answers(settings)
    text = "answers" if well else "does not answer; the sweep finds work without it"
    return Check("broker", well, False, text)
