"""Leases that are renewed as long as a block takes: an archive may be silent for minutes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.session import Database


@contextmanager
def renewing(
    database: Database, renew: Callable[[Session, datetime], None], lease: timedelta
) -> Iterator[None]:
    """Renew three times in each lease. renew: in a transaction, at a moment."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(lease.total_seconds() / 3):
            # Without the database the lease ends, and another process may do the same.
            with suppress(DBAPIError), database.write() as session:
                renew(session, datetime.now(UTC))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
