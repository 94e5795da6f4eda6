"""From a claimed file to its row: keep it, read its header, decide, commit, let go of it.

Every step can be repeated: a run that dies anywhere in here loses nothing and doubles nothing.
"""

from datetime import UTC, datetime

import structlog

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
from db.tables import Image
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
    So it is when another process commits the same content, UID or study meanwhile: at the second
    try it is known.
    """
    arrival = _keep(claim, resources)
    header, refusal = _examine(arrival.sha256, resources)
    identity = _identity(arrival.sha256, header)
    known = _known(arrival.sha256, identity, resources) if refusal is None else None
    if isinstance(known, Refused):
        known, refusal = None, known
    outcome = _commit(arrival, identity, header, known, refusal, resources)
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


def _known(sha256: str, identity: Identity, resources: Resources) -> Image | Refused | None:
    """The accepted image with this UID if it shows the same film, else the conflict."""
    with resources.database.read() as session:
        accepted = accepted_image(session, identity.sop_instance_uid)
    if accepted is None or _same_pixels(sha256, accepted.sha256, resources):
        return accepted
    return Refused(RefusalCode.SOP_INSTANCE_UID_CONFLICT)


def _commit(
    arrival: NewArrival,
    identity: Identity,
    header: Header | None,
    known: Image | None,
    refusal: Refused | None,
    resources: Resources,
) -> Outcome:
    """Write the image's row, or that it came in once more."""
    with resources.database.write() as session:
        if arrived_before(session, arrival.claim_id):
            return Outcome.DUPLICATE
        same = image_with_content(session, arrival.sha256) or known
        if same is not None:
            add_duplicate(session, arrival, same)
            return Outcome.DUPLICATE
        max_wait = resources.settings.max_wait
        add_image(session, arrival, identity, header, refusal=refusal, max_wait=max_wait)
        return Outcome.REFUSED if refusal else Outcome.RECEIVED


def _same_pixels(sha256: str, other_sha256: str, resources: Resources) -> bool:
    """Whether two originals show the same film, whatever their headers and encodings."""
    if sha256 == other_sha256:
        return True
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
