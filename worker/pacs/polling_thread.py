"""The thread that polls archives, in the process of the clock: it waits, and does no other work."""

from db.session import open_database
from readfirst.settings import Settings
from worker.pacs.poll import Poller, poll_policy
from worker.pacs.services import fetch_services
from worker.until_exit import run_until_exit


def start_polling(settings: Settings) -> None:
    """Poll from now on until the process ends."""
    services = fetch_services(settings, open_database(settings.database))
    policy = poll_policy(settings)
    run_until_exit("polling", lambda stop: Poller(services, policy, stop).run())
