"""From a claimed file to its row: keep it, read its header, decide, commit, let go of it.

Every step can be repeated: a run that dies anywhere in here loses nothing and doubles nothing.
"""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path

import structlog

from db.asides import set_aside
from db.images import (
    Identity,
    NewArrival,
    Outcome,
    add_duplicate,
    add_image,
    arrived_before,
    image_with_content,
)
from db.refused import try_again
from db.tables import Image
from ingest.claim import Claim, release
from readfirst.errors import Refused
from readfirst.queue import Bell
from readfirst.refusals import RefusalCode
from worker.examine import Examination, examine, identify, known_film
from worker.resources import Resources

log = structlog.get_logger()
#: What belongs to no film and is missed by nobody.
ASIDE = frozenset({RefusalCode.DICOM_INDEX})


def take_in(
    claim: Claim,
    resources: Resources,
    *,
    verdict: Refused | None = None,
    aside: AbstractSet[RefusalCode] = ASIDE,
) -> Outcome:
    """Bring one claimed file into the store and the database, and ring for its preparation.

    verdict: why it is refused, where that is known already. aside: codes of what is set aside as
    no film, which is no refusal that anybody must look at.

    Raises Unavailable or a database error when the file must be tried again; it stays claimed.
    So it is when another process commits the same content, UID or study meanwhile: at the second
    try it is known.
    """
    arrival = _keep(claim, resources)
    examined = Examination(None, verdict) if verdict else examine(arrival.sha256, resources)
    if examined.refusal is not None and examined.refusal.code in aside:
        return _set_aside(claim, arrival, examined.refusal, resources)
    identity = identify(arrival.sha256, examined.header)
    known = None
    if examined.refusal is None:
        known = known_film(arrival.sha256, examined.header, identity, resources)
    if isinstance(known, Refused):
        known, examined = None, Examination(examined.header, known)
    outcome = _commit(arrival, identity, examined, known, resources)
    release(claim)
    log.info(
        "file_taken_in",
        action="take_in",
        claim=claim.claim_id,
        sha256=arrival.sha256,
        outcome=outcome.value,
        code=examined.refusal.code.value if examined.refusal else None,
    )
    if outcome is Outcome.RECEIVED:
        resources.ringer.ring(Bell.PREPARE)
    return outcome


def _set_aside(claim: Claim, arrival: NewArrival, why: Refused, resources: Resources) -> Outcome:
    with resources.database.write() as session:
        set_aside(session, arrival, why)
    release(claim)
    log.info("set_aside", action="take_in", claim=claim.claim_id, code=why.code.value)
    return Outcome.SET_ASIDE


def _keep(claim: Claim, resources: Resources) -> NewArrival:
    stored = resources.store.keep(claim.path)
    return NewArrival(
        claim_id=claim.claim_id,
        relative_path=claim.relative_path.as_posix(),
        sha256=stored.sha256,
        size=stored.size,
        arrived_at=datetime.now(UTC),
        stat=_is_stat(claim.relative_path, resources.settings.stat_folder_names),
    )


def _is_stat(relative_path: Path, folders: frozenset[str]) -> bool:
    """Whether the file came in by a folder, at any depth, whose studies are read at once."""
    return any(part.casefold() in folders for part in relative_path.parent.parts)


def _commit(
    arrival: NewArrival,
    identity: Identity,
    examined: Examination,
    known: Image | None,
    resources: Resources,
) -> Outcome:
    """Write the image's row, or that it came in once more."""
    with resources.database.write() as session:
        if arrived_before(session, arrival.claim_id):
            return Outcome.DUPLICATE
        same = image_with_content(session, arrival.sha256) or known
        max_wait = resources.settings.max_wait
        outcome = Outcome.REFUSED if examined.refusal else Outcome.RECEIVED
        if same is not None:
            add_duplicate(session, arrival, same)
            if same.code is not RefusalCode.ORIGINAL_MISSING or known is not None:
                return Outcome.DUPLICATE
            # Its original is here again, which is all that it lacked.
            try_again(
                session,
                same,
                identity,
                examined.header,
                refusal=examined.refusal,
                at=arrival.arrived_at,
                max_wait=max_wait,
                marks=examined.marks,
            )
            return outcome
        add_image(
            session,
            arrival,
            identity,
            examined.header,
            refusal=examined.refusal,
            max_wait=max_wait,
            marks=examined.marks,
        )
        return outcome
