"""Faults of the machine for which intake waits: shown while they last."""

from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from db.session import Database
from db.work_faults import go_on, stop_work
from readfirst.errors import ReadingInterrupted, Unavailable
from readfirst.machine_faults import FaultCode, MachineFault, WorkKind


def note_waits(database: Database, error: Unavailable | SQLAlchemyError) -> None:
    """Let people see why intake waits. Of a database that does not answer, its own check tells."""
    if isinstance(error, Unavailable):
        with suppress(SQLAlchemyError), database.write() as session:
            stop_work(session, WorkKind.INTAKE, _fault_of(error), datetime.now(UTC))


def note_goes_on(database: Database) -> None:
    """Intake waits no more."""
    with suppress(SQLAlchemyError), database.write() as session:
        go_on(session, WorkKind.INTAKE)


def _fault_of(error: Unavailable) -> MachineFault:
    if isinstance(error, MachineFault):
        return error
    interrupted = isinstance(error, ReadingInterrupted)
    code = FaultCode.READING_INTERRUPTED if interrupted else FaultCode.ORIGINALS_UNAVAILABLE
    return MachineFault(code, str(error))
