"""The Modality Worklist is asked for orders, in a thread of the clock: nothing waits for it."""

import threading
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.lifecycle.ris.worklist import claim_query, note_no_answer, take_answer
from db.lifecycle.unit_of_work import UnitOfWorkFactory, site_policy
from db.session import open_database
from ingest.pacs.modality_worklist import WorklistPeer, find_orders, worklist_peer
from readfirst.errors import Unavailable
from readfirst.settings import Settings
from readfirst.tasks.notifier import TaskNotifier
from worker.background import TICK_SECONDS, start_in_background

log = structlog.get_logger()


def ask_next(units: UnitOfWorkFactory, peer: WorklistPeer, at: datetime | None = None) -> bool:
    """Ask for the order of the next study. Returns False if there is none to be asked for.

    A worklist that does not answer is asked again later, longer after each time.
    """
    now = at or datetime.now(UTC)
    with units.database.write() as session:
        claimed = claim_query(session, now)
    if claimed is None:
        return False
    try:
        orders = find_orders(peer, claimed.accession_number)
    except Unavailable as error:
        log.warning("worklist_not_answered", action="mwl", reason=str(error))
        with units.database.write() as session:
            note_no_answer(session, claimed, str(error), now)
        return True
    with units.begin(at) as unit:
        count = take_answer(unit, claimed, orders)
    log.info("worklist_answered", action="mwl", orders=count)
    return True


def start_asking(settings: Settings, notifier: TaskNotifier) -> None:
    """Ask from now on until the process ends; does nothing where no worklist is set."""
    peer = worklist_peer(settings)
    if peer is None:
        return
    stop = threading.Event()
    database = open_database(settings.database)
    units = UnitOfWorkFactory(database, site_policy(settings), notifier)
    start_in_background("modality-worklist", partial(_run, units, peer, stop), stop)


def _run(units: UnitOfWorkFactory, peer: WorklistPeer, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            while not stop.is_set() and ask_next(units, peer):
                pass
        except SQLAlchemyError as error:
            log.warning("database_fails", action="mwl", error=type(error).__name__)
        except Exception:
            # Whatever a foreign system answers must not end the asking for good.
            log.exception("worklist_failed", action="mwl")
        stop.wait(TICK_SECONDS)
