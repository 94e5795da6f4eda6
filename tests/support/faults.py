"""Faults of the machine, as tests make them and end them."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from db.session import Database
from db.tables import Destination, Image, Leased, WorkFaultRow
from db.work_faults import work_faults
from readfirst.domain import ImageState
from readfirst.machine_faults import FaultCode, WorkKind
from readfirst.refusals import RefusalCode
from tests.support.workers import Worker

#: Rounds of work after which nobody believes that a film comes to its end any more.
MOST_ROUNDS = 50


def time_passes(database: Database) -> None:
    """Let every pause be over, and every lease that a worker which died has left behind."""
    with database.write() as session:
        for table in Leased.__subclasses__():
            leased = update(table).where(table.lease_until.is_not(None))
            session.execute(leased.values(lease_until=long_ago()))
        resting = update(Destination).where(Destination.rests_until.is_not(None))
        session.execute(resting.values(rests_until=long_ago()))
    pauses_pass(database)


def pauses_pass(database: Database) -> None:
    """Let the pauses of the work be over, and not those of the films."""
    with database.write() as session:
        session.execute(update(WorkFaultRow).values(paused_until=long_ago()))


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


def states(database: Database) -> list[ImageState]:
    """The state of each image, in order."""
    with database.read() as session:
        return list(session.scalars(select(Image.state).order_by(Image.id)))


def codes(database: Database) -> list[RefusalCode | None]:
    """The code of each image, in order; None where it is not refused."""
    with database.read() as session:
        return list(session.scalars(select(Image.code).order_by(Image.id)))


def stopped(database: Database) -> dict[WorkKind, FaultCode]:
    """The kinds of work that a fault stops now."""
    with database.read() as session:
        return {fault.work: fault.code for fault in work_faults(session)}


def counted(database: Database) -> list[int]:
    """The attempts that count against each image, in order: failures and unproven ones.

    An image is refused for nothing else, however often it is tried.
    """
    against = Image.attempts - Image.excused
    with database.read() as session:
        return list(session.scalars(select(against).order_by(Image.id)))


def was_interrupted(database: Database, times: int) -> None:
    """Let each image have been tried so often, and nobody know whose doing its ends were."""
    with database.write() as session:
        session.execute(update(Image).values(attempts=times))


def work_until_done(worker: Worker, rounds: int = MOST_ROUNDS) -> None:
    """Let workers do what there is, with the sweep and all the time that it takes."""
    for _ in range(rounds):
        while worker.prepare_next():
            pass
        while worker.score_batch():
            pass
        worker.sweep_once()
        if not {ImageState.RECEIVED, ImageState.READY} & set(states(worker.database)):
            return
        time_passes(worker.database)
