"""Issues of the inbox, reported once: a row for people and a line in the log, until they change."""

from collections import Counter
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.inbox.inbox_issues import replace_inbox_issues
from db.session import Database
from readfirst.inbox_issues import InboxIssue

log = structlog.get_logger()


class InboxIssueReporter:
    """Keeps the issues in the database as they are, and writes only what has changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reported: AbstractSet[InboxIssue] | None = None

    def report(self, issues: AbstractSet[InboxIssue]) -> None:
        """Let these be the issues. A database that does not answer is tried again next time."""
        if issues == self._reported:
            return
        try:
            with self._database.write() as session:
                new = replace_inbox_issues(session, issues, datetime.now(UTC))
        except SQLAlchemyError:
            return
        self._reported = issues
        if new:
            # Without names, which may be those of patients.
            kinds = Counter(issue.code.value for issue in new)
            log.warning("left_in_inbox", action="watch", **kinds)
