"""Answers of destinations that were asked for storage commitment are noted."""

import time
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.lifecycle.sending.outcomes import note_commitment
from db.session import Database
from readfirst.destinations.commitment import CommitmentReport

log = structlog.get_logger()
#: A destination may answer before the worker that sent has noted what was sent.
PATIENCE_SECONDS, LOOK_SECONDS = 5.0, 0.2


def take_commitment(database: Database, report: CommitmentReport) -> bool:
    """Note an answer. False where no result waits for it, or the database does not answer."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with database.write() as session:
                known = note_commitment(
                    session, report.transaction_uid, report.reason, datetime.now(UTC)
                )
        except SQLAlchemyError as error:
            log.error("commitment_not_noted", action="commit", error=type(error).__name__)
            return False
        if known or time.monotonic() > end:
            break
        time.sleep(LOOK_SECONDS)
    log.info(
        "commitment", action="commit", known=known, transaction=report.transaction_uid,
        not_kept=sorted(report.failures),
    )  # fmt: skip
    return known
