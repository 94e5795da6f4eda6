"""A worker in a process of its own that sends a result, and stands still before it notes that.

python -m tests.support.killable_result_sender HOME DATABASE_URL
"""

import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from db.session import open_database
from ingest.reader.reader_process import Reader
from readfirst.settings import Settings
from results.services import result_services
from worker.sending import send

#: What it says when the destination has the result and the database does not know.
HERE = "here"


def stop_here(*_: Any) -> None:
    """Stand still until somebody kills the process."""
    print(HERE, flush=True)
    while True:
        signal.pause()


def main(home: str, database_url: str) -> None:
    """Send the first result that is due."""
    settings = Settings(home=Path(home), database_url=SecretStr(database_url))
    setattr(send, "sent", stop_here)  # noqa: B010 - of another type
    database = open_database(settings.database)
    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        services = result_services(settings, database, reader)
        send.send_next(
            send.SendingServices(database, services, send.sending_policy(settings.lease))
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
