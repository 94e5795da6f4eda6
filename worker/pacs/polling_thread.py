"""The thread that polls archives, in the process of the clock: it waits, and does no other work."""

import atexit
import threading

from db.session import open_database
from readfirst.settings import Settings
from worker.pacs.poll import Poller, poll_policy
from worker.pacs.services import fetch_services

#: Seconds that a visit has to end once the process ends; what goes on is taken up again later.
STOP_SECONDS = 10.0


def start_polling(settings: Settings) -> None:
    """Poll from now on until the process ends."""
    stop = threading.Event()
    database = open_database(settings.database)
    poller = Poller(fetch_services(settings, database), poll_policy(settings), stop)
    thread = threading.Thread(target=poller.run, name="polling", daemon=True)

    def end() -> None:
        stop.set()
        thread.join(STOP_SECONDS)

    atexit.register(end)
    thread.start()
