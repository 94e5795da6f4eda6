"""The outcome of an attempt is written down, also when the database ends connections meanwhile."""

import time
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import DBAPIError

from db.lifecycle.unit_of_work import UnitOfWork, UnitOfWorkFactory
from db.lifecycle.work import ClaimedImage, attempt_excused
from db.session import is_passing
from db.work_faults import go_on, stop_work
from readfirst.machine_faults import MachineFault, WorkKind

log = structlog.get_logger()
#: Seconds between two tries to write; together shorter than any lease that is worth its name.
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


def write_outcome(units: UnitOfWorkFactory, write: Callable[[UnitOfWork], object]) -> None:
    """Write the outcome of work that is done: it is not done anew for a lost connection.

    write: may run more than once, since nobody knows whether a commit arrived whose connection
    ended; the lease that it gave back then keeps the second run from changing anything. Raises the
    database's error if it does not answer for a while; the lease then ends by itself.
    """
    for pause in PAUSES:
        try:
            with units.begin() as unit:
                write(unit)
            return
        except DBAPIError as error:
            if not is_passing(error):
                raise
            log.warning("write_again", action="work", error=type(error).__name__)
            time.sleep(pause)
    with units.begin() as unit:
        write(unit)


def write_success(
    units: UnitOfWorkFactory, work: WorkKind, write: Callable[[UnitOfWork], object]
) -> None:
    """Write the outcome of an attempt that the machine did not hinder: the work goes on."""

    def write_both(unit: UnitOfWork) -> None:
        write(unit)
        if go_on(unit.session, work):
            log.warning("work_goes_on", action=work.value)

    write_outcome(units, write_both)


def write_fault(
    units: UnitOfWorkFactory, work: WorkKind, fault: MachineFault, images: Sequence[ClaimedImage]
) -> None:
    """Stop a kind of work for a while, and let its images wait; it counts against none of them."""

    def write(unit: UnitOfWork) -> None:
        if stop_work(unit.session, work, fault, unit.at):
            log.error("work_stopped", action=work.value, code=fault.code.value, error=fault.detail)
        for image in images:
            attempt_excused(unit, image, str(fault))

    write_outcome(units, write)
