"""What a kept original says of itself: its header, its UIDs, and whether the film is known already.

Intake asks it of every file that comes in, and `worker.retry` of what was refused.
"""

import numpy as np

from db.images import Identity, accepted_image
from db.tables import Image
from ingest.scope import check_scope
from models.preprocessing import PREPROCESSING_VERSION, standardise
from readfirst.domain import Header, uid_from_digest
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from worker.prepare import read_model_ready
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
    if accepted is None or _same_film(sha256, accepted.sha256, resources):
        return accepted
    return Refused(RefusalCode.SOP_INSTANCE_UID_CONFLICT)


def _same_film(sha256: str, accepted: str, resources: Resources) -> bool:
    """Whether an original shows what an accepted image does, whatever header and encoding say."""
    if sha256 == accepted:
        return True
    try:
        display = resources.reader.display(resources.store.path(sha256))
        if resources.store.has(accepted):
            other = resources.reader.display(resources.store.path(accepted))
            return np.array_equal(display, other)
        # The site's retention let the accepted original go; the model-ready image is kept.
        kept = resources.prepared.model_ready(accepted, PREPROCESSING_VERSION)
        return np.array_equal(standardise(display), read_model_ready(kept))
    except (Refused, FileNotFoundError):
        return False
