"""Workers are woken for what was forgotten, and what failed for good is refused."""

from datetime import timedelta

import structlog

from db.ensembles.shadows import forget_queues
from db.lifecycle.heat_maps import give_up_maps, is_any_wanted
from db.lifecycle.outbox import is_any_due as is_message_due
from db.lifecycle.ris.orders import raise_by_orders
from db.lifecycle.sending.claims import is_any_due as is_result_due
from db.lifecycle.sending.outcomes import give_up_spent
from db.lifecycle.unit_of_work import TASKS, UnitOfWorkFactory
from db.lifecycle.work import give_up, waiting
from db.shadow.work import give_up_shadows
from db.shadow.work import is_any_due as is_shadow_due
from ingest.inbox.store import Store
from readfirst.tasks.names import TaskName
from worker.sending.send import sending_policy

log = structlog.get_logger()
#: Messages of one sweep for one kind of work, at most; each makes a worker do all that waits.
MOST_MESSAGES = 16
#: For how long an order is looked for that its film has missed: they came in at one moment.
MISSED = timedelta(hours=1)


def sweep(units: UnitOfWorkFactory, store: Store) -> None:
    """Look for free images in the database and wake workers for them."""
    store.sweep()
    with units.begin() as unit:
        given_up = give_up(unit)
        raise_by_orders(unit, unit.at - MISSED)
        free = waiting(unit.session, unit.at)
        give_up_maps(unit.session, unit.at, unit.policy.lease)
        forget_queues(unit.session, unit.at)
        give_up_shadows(unit)
        idle_work = is_any_wanted(unit.session) or is_shadow_due(unit.session, unit.at)
        deliver = is_message_due(unit.session, unit.at, unit.policy.channels)
        sending = sending_policy(unit.policy.lease.lease)
        give_up_spent(unit.session, unit.at, sending)
        send = not unit.policy.silent and is_result_due(unit.session, unit.at, sending)
    for state, task in TASKS.items():
        for _ in range(min(free.get(state, 0), MOST_MESSAGES)):
            units.notifier.notify(task)
    if idle_work:
        units.notifier.notify(TaskName.SCORE)
    if deliver:
        units.notifier.notify(TaskName.DELIVER)
    if send:
        units.notifier.notify(TaskName.SEND)
    if given_up or free:
        log.info("swept", action="sweep", given_up=given_up, waiting=sum(free.values()))
