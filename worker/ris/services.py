"""The needs of those who take messages: the HL7 listener and the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

from db.lifecycle.unit_of_work import UnitOfWorkFactory, site_policy
from db.migrate import upgrade
from db.session import open_database
from ingest.hl7.orders import order_rules
from readfirst.files.folders import make_home
from readfirst.settings import Settings
from readfirst.tasks.notifier import TaskNotifier
from worker.ris.take_message import RisServices


@contextmanager
def open_ris(settings: Settings, notifier: TaskNotifier) -> Iterator[RisServices]:
    """Open all that taking a message needs, with the database at its newest schema."""
    make_home(settings.home_path)
    database = open_database(settings.database)
    try:
        upgrade(database)
        units = UnitOfWorkFactory(database, site_policy(settings), notifier)
        yield RisServices(units, order_rules(settings))
    finally:
        database.dispose()
