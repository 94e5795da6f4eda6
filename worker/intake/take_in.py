"""The way of a claimed file to its row: store, inspect, decide, accept. Each step is done once.

Every step can be repeated: a run that dies anywhere in here loses nothing and doubles nothing.
"""

from datetime import UTC, datetime
from pathlib import Path

from db.images import ArrivalOutcome, NewArrival
from ingest.inbox.claim import Claim
from ingest.inbox.store import StoredFile
from readfirst.errors import Refused
from worker.intake.acceptance import accept
from worker.intake.decision import decide
from worker.intake.inspection import inspect
from worker.intake.services import IntakeServices


def take_in(
    claim: Claim,
    services: IntakeServices,
    *,
    refusal: Refused | None = None,
    is_member: bool = False,
) -> ArrivalOutcome:
    """Bring one claimed file into the store and the database, where it waits to be prepared.

    refusal: why it is refused, where that is known already. is_member: it came in an archive.

    Raises BeingWritten when the file changes meanwhile. Raises Unavailable or a database error when
    it must be tried again; it stays claimed. So it is when another process commits the same
    content, UID or study meanwhile: at the second try it is known.
    """
    stored = services.store.keep(claim.path)
    arrival = _arrival(claim, stored, services.stat_folders)
    inspection = inspect(stored.sha256, stored.path, services, refusal)
    services.reader.leave()
    with services.database.read() as session:
        decision = decide(session, arrival, inspection, is_member=is_member)
    accept(claim, arrival, inspection, decision, services.unit_of_work)
    return decision.outcome


def _arrival(claim: Claim, stored: StoredFile, stat_folders: frozenset[str]) -> NewArrival:
    return NewArrival(
        claim_id=claim.claim_id,
        relative_path=claim.relative_path.as_posix(),
        sha256=stored.sha256,
        size=stored.size,
        arrived_at=datetime.now(UTC),
        stat=_is_stat(claim.relative_path, stat_folders),
    )


def _is_stat(relative_path: Path, folders: frozenset[str]) -> bool:
    """Return whether the file lay in a folder, at any depth, whose studies are read at once."""
    return any(part.casefold() in folders for part in relative_path.parent.parts)
