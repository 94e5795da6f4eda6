"""From a claimed file to its row: keep it, read its header, decide, commit, let go of it.

Every step can be repeated: a run that dies anywhere in here loses nothing and doubles nothing.
"""

from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import IntegrityError

from db.images import (
    Identity,
    NewArrival,
    Outcome,
    accepted_image,
    add_duplicate,
    add_image,
    arrived_before,
    image_with_content,
)
from ingest.claim import Claim, release
from ingest.scope import check_scope
from readfirst.domain import Header, uid_from_digest
from readfirst.errors import Refused
from readfirst.queue import Bell
from readfirst.refusals import RefusalCode
from worker.resources import Resources

log = structlog.get_logger()


def take_in(claim: Claim, resources: Resources) -> Outcome:
    """Bring one claimed file into the store and the database, and ring for its preparation.

    Raises Unavailable or a database error when the file must be tried again; it stays claimed.
    """
    arrival = _keep(claim, resources)
    header, refusal = _examine(arrival.sha256, resources)
    for last_try in (False, True):
        try:
            outcome = _commit(arrival, header, refusal, resources)
            break
        except IntegrityError:
            # Another process committed this content, UID or study just now: it is known then.
            if last_try:
                raise
    release(claim)
    log.info(
        "file_taken_in",
        action="take_in",
        claim=claim.claim_id,
        sha256=arrival.sha256,
        outcome=outcome.value,
        code=refusal.code.value if refusal else None,
    )
    if outcome is Outcome.RECEIVED:
        resources.ringer.ring(Bell.PREPARE)
    return outcome


def _keep(claim: Claim, resources: Resources) -> NewArrival:
    stored = resources.store.keep(claim.path)
    return NewArrival(
        claim_id=claim.claim_id,
        relative_path=claim.relative_path.as_posix(),
        sha256=stored.sha256,
        size=stored.size,
        arrived_at=datetime.now(UTC),
    )


def _examine(sha256: str, resources: Resources) -> tuple[Header | None, Refused | None]:
    """The header, where it can be read, and the reason to refuse, where there is one."""
    header = None
    try:
        header = resources.reader.header(resources.store.path(sha256))
        check_scope(header)
    except Refused as refusal:
        return header, refusal
    return header, None


def _commit(
    arrival: NewArrival, header: Header | None, refusal: Refused | None, resources: Resources
) -> Outcome:
    identity = _identity(arrival.sha256, header)
    with resources.database.read() as session:
        same_content = image_with_content(session, arrival.sha256)
        same_uid = None if refusal else accepted_image(session, identity.sop_instance_uid)
    known = same_content
    if known is None and same_uid is not None:
        if _same_pixels(arrival.sha256, same_uid.sha256, resources):
            known = same_uid
        else:
            refusal = Refused(RefusalCode.SOP_INSTANCE_UID_CONFLICT)
    with resources.database.write() as session:
        if arrived_before(session, arrival.claim_id):
            return Outcome.DUPLICATE
        if known is not None:
            add_duplicate(session, arrival, known)
            return Outcome.DUPLICATE
        max_wait = resources.settings.max_wait
        add_image(session, arrival, identity, header, refusal=refusal, max_wait=max_wait)
        return Outcome.RECEIVED if refusal is None else Outcome.REFUSED


def _same_pixels(sha256: str, other_sha256: str, resources: Resources) -> bool:
    """Whether two originals show the same film, whatever their headers and encodings."""
    try:
        one, other = (
            resources.reader.display(resources.store.path(s)) for s in (sha256, other_sha256)
        )
    except Refused:
        return False
    return one.shape == other.shape and bool((one == other).all())


def _identity(sha256: str, header: Header | None) -> Identity:
    """The UIDs that the header brings; what it leaves out is made from the content."""
    return Identity(
        study_instance_uid=(header and header.study_instance_uid)
        or uid_from_digest(sha256, "study"),
        series_instance_uid=(header and header.series_instance_uid)
        or uid_from_digest(sha256, "series"),
        sop_instance_uid=(header and header.sop_instance_uid)
        or uid_from_digest(sha256, "instance"),
    )
