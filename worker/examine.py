"""What a kept original says of itself: its header, its UIDs, and whether the film is known already.

Intake asks it of every file that comes in, and `worker.retry` of what was refused.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from db.images import Identity, accepted_image
from db.studies import patient_of
from db.tables import Image
from ingest.scope import check_scope
from models.preprocessing import LEAST_SIDE, PREPROCESSING_VERSION, standardise
from readfirst.domain import Header, uid_from_digest
from readfirst.errors import Refused
from readfirst.identity import conflict
from readfirst.marks import Mark
from readfirst.refusals import RefusalCode
from worker.prepare import read_model_ready
from worker.resources import Resources


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found: the header, where it can be read; the reason to refuse, where there is one;
    else the marks of a score that is not validated.
    """

    header: Header | None
    refusal: Refused | None = None
    marks: tuple[Mark, ...] = ()


def examine(sha256: str, resources: Resources) -> Examination:
    """Read a kept original's header, and hold it against the site's scope.

    Times without a zone are taken to be in the site's.
    """
    try:
        said = resources.reader.header(resources.store.path(sha256))
    except Refused as refusal:
        return Examination(None, refusal)
    with resources.database.read() as session:
        ages = resources.judgement.ages(session)
    header = _in_zone(said, resources.settings.zone)
    try:
        # By the dates as written: a zone must make nobody a day older.
        return Examination(header, marks=check_scope(said, resources.rules, ages))
    except Refused as refusal:
        return Examination(header, refusal)


def _in_zone(header: Header, zone: ZoneInfo) -> Header:
    return replace(
        header,
        study_datetime=_aware(header.study_datetime, zone),
        acquisition_datetime=_aware(header.acquisition_datetime, zone),
    )


def _aware(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    if at is None:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        # In the first or last hours of what a calendar holds: no film is from there.
        return None


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


def known_film(
    sha256: str, header: Header | None, identity: Identity, resources: Resources
) -> Image | Refused | None:
    """The accepted image with this UID if it shows the same film, else the conflict."""
    with resources.database.read() as session:
        accepted = accepted_image(session, identity.sop_instance_uid)
        theirs = patient_of(accepted.study) if accepted else None
    if accepted is None or theirs is None:
        return None
    if not _same_film(sha256, accepted.sha256, resources):
        return Refused(RefusalCode.SOP_INSTANCE_UID_CONFLICT)
    if header is not None and conflict(theirs, patient_of(header)):
        return Refused(RefusalCode.PATIENT_CONFLICT)
    return accepted


def _same_film(sha256: str, accepted: str, resources: Resources) -> bool:
    """Whether an original shows what an accepted image does, whatever header and encoding say."""
    if sha256 == accepted:
        return True
    new, old = resources.store.path(sha256), resources.store.path(accepted)
    try:
        if resources.store.has(accepted):
            return np.array_equal(resources.reader.display(new), resources.reader.display(old))
        # The site's retention let the accepted original go; the model-ready image is kept.
        kept = resources.prepared.model_ready(accepted, PREPROCESSING_VERSION)
        film = resources.reader.film(new, LEAST_SIDE)
        return np.array_equal(standardise(film), read_model_ready(kept))
    except (Refused, FileNotFoundError):
        return False
