"""What a kept original says of itself: its header, its UIDs, and whether the film is known already.

Intake asks it of every file that comes in.
"""

from db.images import Identity, accepted_image
from db.tables import Image
from ingest.scope import check_scope
from readfirst.domain import Header, uid_from_digest
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from worker.resources import Resources


def examine(sha256: str, resources: Resources) -> tuple[Header | None, Refused | None]:
    """The header, where it can be read, and the reason to refuse, where there is one."""
    header = None
    try:
        header = resources.reader.header(resources.store.path(sha256))
        check_scope(header)
    except Refused as refusal:
        return header, refusal
    return header, None


def identify(sha256: str, header: Header | None) -> Identity:
    """The UIDs that the header brings; what it leaves out is made from the content."""
    return Identity(
        study_instance_uid=(header and header.study_instance_uid)
        or uid_from_digest(sha256, "study"),
        series_instance_uid=(header and header.series_instance_uid)
        or uid_from_digest(sha256, "series"),
        sop_instance_uid=(header and header.sop_instance_uid)
        or uid_from_digest(sha256, "instance"),
    )


def known_film(sha256: str, identity: Identity, resources: Resources) -> Image | Refused | None:
    """The accepted image with this UID if it shows the same film, else the conflict."""
    with resources.database.read() as session:
        accepted = accepted_image(session, identity.sop_instance_uid)
    if accepted is None or _same_pixels(sha256, accepted.sha256, resources):
        return accepted
    return Refused(RefusalCode.SOP_INSTANCE_UID_CONFLICT)


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
