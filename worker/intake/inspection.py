"""Inspection: an original is looked at once, and all that intake must know of it is written down.

Nothing is decided and nothing is written here. Retries inspect a kept original in the same way. The
watcher has read the header before, of bytes that could still change: its module `inbox_watcher`
says why its reading is not handed on.
"""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from db.images import Identity, accepted_image
from db.lifecycle.arrivals import Rejudged
from db.tables import Image
from ingest.scope.scope import check_scope, marks_of_scored
from models.preprocessing import LEAST_SIDE, standardise
from readfirst.domain import Ages, Header, uid_from_digest
from readfirst.errors import Refused, Unavailable
from readfirst.studies.identity import Patient, patient_of, study_uid_in_place_of
from readfirst.studies.marks import Mark
from worker.intake.services import IntakeServices

#: What the rows of an image and its study know of what the scope's rules look at.
KNOWN_OF_IMAGE = ("modality", "view_position", "body_part_examined")
KNOWN_OF_STUDY = ("patient_age", "patient_birth_date")


class Likeness(Enum):
    """The relation of an original to the accepted image that has its SOP Instance UID."""

    #: It shows the same, whatever header and encoding say.
    SAME_FILM = auto()
    #: It is a beginning of the accepted film, of which the rest was never written.
    BEGINNING = auto()
    #: It is the whole film, of which a beginning was accepted.
    WHOLE = auto()
    ANOTHER_FILM = auto()


@dataclass(frozen=True, slots=True)
class SameUid:
    """The accepted image that has the SOP Instance UID of an original.

    rejudged: as what both headers say together, where that is more than the scope has known.
    """

    image_id: int
    sha256: str
    patient: Patient
    likeness: Likeness
    rejudged: Rejudged | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The result of looking at one original.

    header: None where it cannot be read. identity: the UIDs that the header brings; what it leaves
    out is made from the content. refusal: why the file by itself cannot be scored. marks: why a
    score of it is not validated. same_uid: None where no accepted image has its UID.
    """

    header: Header | None
    identity: Identity
    refusal: Refused | None = None
    marks: tuple[Mark, ...] = ()
    same_uid: SameUid | None = None


def inspect(
    sha256: str, path: Path, services: IntakeServices, refusal: Refused | None = None
) -> Inspection:
    """Read an original's header, hold it against the site's scope, and compare it by its UID.

    sha256, path: of the original in the store. refusal: why it is refused, where that is known
    already; then it is not read. Times without a zone are taken to be in the site's.

    Raises Unavailable when it cannot be read now.
    """
    if refusal is not None:
        return _unreadable(sha256, refusal)
    try:
        header = services.reader.header(path)
    except Refused as unreadable:
        return _unreadable(sha256, unreadable)
    identity = identify(sha256, header)
    with services.database.read() as session:
        # By the dates as written: a zone must make nobody a day older.
        ages = services.ages(session)
        marks, refusal = _scope(header, services, ages)
        accepted = accepted_image(session, identity.sop_instance_uid)
    return Inspection(
        header=_in_zone(header, services.zone),
        identity=identity,
        refusal=refusal,
        marks=marks,
        same_uid=None
        if accepted is None
        else _compared(sha256, path, header, accepted, services, ages),
    )


def identify(sha256: str, header: Header | None) -> Identity:
    """Return the UIDs that the header brings; what it leaves out is made from the content.

    An invalid Study Instance UID is no use outside, but keeps images of one patient together.
    """
    brought = header.study_instance_uid if header else None
    study = brought or _made_study_uid(header) or uid_from_digest(sha256, "study")
    return Identity(
        study_instance_uid=study,
        series_instance_uid=(header and header.series_instance_uid)
        or uid_from_digest(sha256, "series"),
        sop_instance_uid=(header and header.sop_instance_uid)
        or uid_from_digest(sha256, "instance"),
        study_instance_uid_made_here=brought is None,
        invalid_study_instance_uid=header.invalid_study_instance_uid if header else None,
    )


def _made_study_uid(header: Header | None) -> str | None:
    if header is None or header.invalid_study_instance_uid is None:
        return None
    return study_uid_in_place_of(header.invalid_study_instance_uid, patient_of(header))


def _unreadable(sha256: str, refusal: Refused) -> Inspection:
    return Inspection(header=None, identity=identify(sha256, None), refusal=refusal)


def _scope(
    header: Header, services: IntakeServices, ages: Ages | None
) -> tuple[tuple[Mark, ...], Refused | None]:
    try:
        marks = check_scope(header, services.rules, ages)
    except Refused as refusal:
        return (), refusal
    return marks, None


def _compared(
    sha256: str,
    path: Path,
    header: Header,
    accepted: Image,
    services: IntakeServices,
    ages: Ages | None,
) -> SameUid:
    """Find out whether an original shows what the accepted image does, and what it adds to it."""
    likeness, rejudged = Likeness.SAME_FILM, None
    if sha256 != accepted.sha256:
        likeness = _likeness(path, accepted.sha256, services)
        rejudged = _rejudged(header, accepted, services, ages)
    patient = patient_of(accepted.study)
    return SameUid(accepted.id, accepted.sha256, patient, likeness, rejudged)


def _likeness(path: Path, accepted: str, services: IntakeServices) -> Likeness:
    if _same_pixels(path, accepted, services):
        return Likeness.SAME_FILM
    original = services.store.path(accepted)
    if _is_beginning(path, original, services):
        return Likeness.BEGINNING
    if _is_beginning(original, path, services):
        return Likeness.WHOLE
    return Likeness.ANOTHER_FILM


def _is_beginning(path: Path, whole: Path, services: IntakeServices) -> bool:
    try:
        return whole.exists() and path.exists() and services.reader.is_beginning(path, whole)
    except Refused:
        return False


def _rejudged(
    header: Header, accepted: Image, services: IntakeServices, ages: Ages | None
) -> Rejudged | None:
    """Judge the accepted image by what its header, its rows and that of a copy say together."""
    known = _known_header(header, accepted, services)
    together = _filled_in(known, header)
    if together == known:
        return None
    marks, refusal = _scope(together, services, ages)
    if refusal is not None:
        marks = marks_of_scored(together, services.rules, ages)
    return Rejudged(marks=marks, refusal=refusal)


def _known_header(copy: Header, accepted: Image, services: IntakeServices) -> Header:
    """Read the accepted image's header, with what later files have filled in on its rows.

    Where the site's retention removed the original, a copy's header must stand for it.
    """
    rows = {name: getattr(accepted, name) for name in KNOWN_OF_IMAGE}
    rows |= {name: getattr(accepted.study, name) for name in KNOWN_OF_STUDY}
    try:
        first = services.reader.header(services.store.path(accepted.sha256))
    except (Refused, Unavailable):
        return replace(copy, **rows, may_be_cut=False)
    return _filled_in(first, replace(first, **rows))


def _filled_in(first: Header, second: Header) -> Header:
    """Return the first header with what it leaves out as the second one says it."""
    empty = [field.name for field in fields(Header) if getattr(first, field.name) in (None, ())]
    return replace(first, **{name: getattr(second, name) for name in empty})


def _same_pixels(path: Path, accepted: str, services: IntakeServices) -> bool:
    """Compare the pixels of two originals, whatever their headers and encodings say."""
    reader, store = services.reader, services.store
    try:
        if store.has(accepted):
            pixels, accepted_pixels = reader.display(path), reader.display(store.path(accepted))
        else:
            # The site's retention removed the accepted original; the image that was scored is kept.
            pixels = standardise(reader.film(path, LEAST_SIDE))
            accepted_pixels = services.model_input(accepted)
    except (Refused, FileNotFoundError):
        return False
    return np.array_equal(pixels, accepted_pixels)


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
