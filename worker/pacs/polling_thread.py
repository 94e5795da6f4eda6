"""The thread that polls archives, in the process of the clock: it waits, and does no other work."""

import threading

from db.session import open_database
from readfirst.settings import Settings
from worker.background import start_in_background
from worker.pacs.poll import Poller, poll_policy
from worker.pacs.services import fetch_services


def start_polling(settings: Settings) -> None:
    """Poll from now on until the process ends."""
    stop = threading.Event()
    database = open_database(settings.database)
    poller = Poller(fetch_services(settings, database), poll_policy(settings), stop)
    start_in_background("polling", poller.run, stop)
