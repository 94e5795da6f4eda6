"""The look at studies that nobody has read in time, with each sweep."""

import structlog
from sqlalchemy.exc import IntegrityError

from db.escalation.escalate import EscalationPolicy, escalate_due
from db.lifecycle.unit_of_work import UnitOfWorkFactory
from readfirst.tasks.names import TaskName

log = structlog.get_logger()


def escalate(units: UnitOfWorkFactory, policy: EscalationPolicy | None) -> int:
    """Escalate what is due, and wake a worker to tell of it. Counts the studies."""
    if policy is None:
        return 0
    try:
        with units.begin() as unit:
            count = escalate_due(unit, policy)
    except IntegrityError:
        # Another worker was quicker.
        return 0
    if count:
        log.info("escalated", action="escalate", studies=count)
        units.notifier.notify(TaskName.DELIVER)
    return count
