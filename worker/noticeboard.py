"""What cannot be taken is told once: a row for people and a line in the log, until it changes."""

from collections import Counter
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.notices import put_up
from db.session import Database
from readfirst.notices import Notice

log = structlog.get_logger()


class Noticeboard:
    """Keeps the notices in the database as they are, and writes only what has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shown: AbstractSet[Notice] | None = None

    def show(self, notices: AbstractSet[Notice]) -> None:
        """Let these be the notices. A database that does not answer is tried again next time."""
        if notices == self._shown:
            return
        try:
            with self._database.write() as session:
                new = put_up(session, notices, datetime.now(UTC))
        except SQLAlchemyError:
            return
        self._shown = notices
        if new:
            # Without names, which may be those of patients.
            kinds = Counter(notice.code.value for notice in new)
            log.warning("left_in_inbox", action="watch", **kinds)
