"""A worker in a process of its own that delivers a message, and stands still before it notes that.

python -m tests.support.killable_sender HOME DATABASE_URL MAIL_PORT
"""

import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from db.session import open_database
from readfirst.settings import Settings
from worker.delivery import deliver

#: What it says when the receiver has the message and the database does not know.
HERE = "here"


def stop_here(*_: Any) -> None:
    """Stand still until somebody kills the process."""
    print(HERE, flush=True)
    while True:
        signal.pause()


def main(home: str, database_url: str, port: str) -> None:
    """Deliver the first message that is due."""
    settings = Settings(
        home=Path(home),
        database_url=SecretStr(database_url),
        escalate_after_minutes=30,
        page_url="https://page.example",
        smtp_host="127.0.0.1",
        smtp_port=int(port),
        smtp_security="none",
        mail_from="readfirst@hospital.example",
        mail_to=("lead@hospital.example",),
    )
    setattr(deliver, "_record", stop_here)  # noqa: B010 - of another type
    deliver.deliver_next(open_database(settings.database), deliver.receivers(settings))


if __name__ == "__main__":
    main(*sys.argv[1:])
