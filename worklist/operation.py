"""For monitors: is the server alive, and is all of ReadFirst ready."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI, Response
from sqlalchemy.exc import SQLAlchemyError

from db.ensembles import active_ensemble
from db.migrate import is_current
from db.session import Database
from ingest.disk import intake_room
from readfirst import __version__
from readfirst.broker import broker_answers
from readfirst.settings import Settings
from worklist.api.answers import as_json

TAG = "operation"


@dataclass(frozen=True, slots=True)
class Alive:
    """That the server answers."""

    status: str
    version: str


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


def add_operation(app: FastAPI, database: Database, settings: Settings) -> None:
    """Add the two questions that a monitor asks."""

    @app.get("/healthz", operation_id="isAlive", tags=[TAG])
    def healthz() -> Alive:
        """That the server answers; it asks nobody else, since a new start would not mend those."""
        return Alive("ok", __version__)

    @app.get(
        "/readyz",
        operation_id="isReady",
        tags=[TAG],
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Something required is not well."}},
    )
    def readyz() -> Response:
        """Whether database, disk and ensemble are ready. The broker only makes it quicker."""
        checks = readiness(database, settings)
        ready = all(check.well or not check.required for check in checks)
        content = as_json(Readiness(ready, checks))
        return Response(content, 200 if ready else 503, media_type="application/json")


def readiness(database: Database, settings: Settings) -> tuple[Check, ...]:
    """Look at all that ReadFirst needs."""
    room = intake_room(settings)
    return (
        _asked("database", lambda: _schema(database)),
        Check("disk", room.enough, True, "intake is open" if room.enough else room.sentence),
        _asked("ensemble", lambda: _ensemble(database)),
        _broker(settings),
    )


def _asked(name: str, look: Callable[[], tuple[bool, str]]) -> Check:
    try:
        well, found = look()
    except SQLAlchemyError:
        return Check(name, False, True, "the database does not answer")
    return Check(name, well, True, found)


def _schema(database: Database) -> tuple[bool, str]:
    well = is_current(database)
    return well, "the schema of this release" if well else "another schema"


def _ensemble(database: Database) -> tuple[bool, str]:
    with database.read() as session:
        active = active_ensemble(session)
    if active is None:
        return False, "none is active yet: no worker has started"
    return True, active.version


def _broker(settings: Settings) -> Check:
    well = broker_answers(settings)
    found = "answers" if well else "does not answer; the sweep finds work without it"
    return Check("broker", well, False, found)
