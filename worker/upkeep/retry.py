"""Refused images are tried again, as after a fix: from their originals, by the rules of today."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from db.lifecycle.arrivals import replace_beginning
from db.lifecycle.events import Cause
from db.lifecycle.retries import refused_image, try_again
from db.lifecycle.unit_of_work import UnitOfWorkFactory
from db.session import Database
from db.tables import Image
from db.worklist.refused import RefusedFilter, refused_ids
from db.worklist.wanted_retries import take_wanted
from ingest.inbox.stored_originals import has_original
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.tasks.notifier import OnceNotifier
from worker.intake.archives import take_in_kept
from worker.intake.decision import refusal_of, replaced
from worker.intake.inspection import Inspection, Likeness, inspect
from worker.intake.services import IntakeServices

log = structlog.get_logger()
#: Numbers of images read in one query.
SLICE = 500
#: What is said of archives that came in by themselves.
ARCHIVES = {
    RefusalCode.ARCHIVE_ENCRYPTED,
    RefusalCode.ARCHIVE_TOO_LARGE,
    RefusalCode.ARCHIVE_UNREADABLE,
    RefusalCode.ARCHIVE_WITHOUT_IMAGES,
    RefusalCode.ARCHIVE_UNPACKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """The result for one refused image. now: why it is refused again; None: it is back in work."""

    image_id: int
    sha256: str
    before: RefusalCode
    now: RefusalCode | None


def refused(database: Database, which: RefusedFilter) -> Iterator[int]:
    """The numbers of the refused images that are meant, in order."""
    last = 0
    while True:
        with database.read() as session:
            ids = refused_ids(session, which=which, after_id=last, limit=SLICE)
        if not ids:
            return
        yield from ids
        last = ids[-1]


def retry(
    units: UnitOfWorkFactory, intake: IntakeServices, image_ids: Iterable[int]
) -> Iterator[Retried]:
    """Try refused images again, each in a transaction of its own, and leave out all others.

    What passes is back in work: whether its pixels can be decoded, and whether they show a chest,
    the workers find out. Raises Unavailable when disk or database do not answer.
    """
    # The first that passes wakes the workers, who go on while there is work.
    units = replace(units, notifier=OnceNotifier(units.notifier))
    for image_id in image_ids:
        retried = _retry(image_id, units, intake)
        if retried is not None:
            yield retried


def retry_next_wanted(units: UnitOfWorkFactory, intake: IntakeServices) -> bool:
    """Try the next image again of which somebody wants it. Returns False where none is wanted.

    It is taken before it is tried: what ends a worker is not tried for ever.
    """
    with units.begin() as unit:
        image_id = take_wanted(unit)
    if image_id is None:
        return False
    for _ in retry(units, intake, [image_id]):
        pass
    return True


def _retry(image_id: int, units: UnitOfWorkFactory, intake: IntakeServices) -> Retried | None:
    with units.database.read() as session:
        image = session.get(Image, image_id, options=[selectinload(Image.arrivals)])
    if image is None or image.code is None:
        return None
    try:
        now = _decide_again(image, units, intake)
    except IntegrityError:
        # Another file with this SOP Instance UID was accepted meanwhile: now it is known.
        now = _decide_again(image, units, intake)
    log.info(
        "retried",
        action="retry",
        sha256=image.sha256,
        before=image.code.value,
        code=now.value if now else None,
    )
    return Retried(image_id=image_id, sha256=image.sha256, before=image.code, now=now)


def _decide_again(
    image: Image, units: UnitOfWorkFactory, intake: IntakeServices
) -> RefusalCode | None:
    """Commit the decision of today: the code of a new refusal, or None for work."""
    inspection = _inspect(image, intake)
    refusal = _refusal(inspection)
    with units.begin() as unit:
        row = refused_image(unit, image.id)
        if row is None:
            # Somebody else tried it again meanwhile.
            return None
        beginning = replaced(inspection)
        if beginning is not None:
            replace_beginning(unit, beginning, image.sha256, Cause.REPROCESS)
        header, identity, marks = inspection.header, inspection.identity, inspection.marks
        try_again(unit, row, identity, header, refusal=refusal, marks=marks)
    return refusal.code if refusal else None


def _inspect(image: Image, intake: IntakeServices) -> Inspection:
    """Inspect the original as intake would today; the content of an archive comes in."""
    sha256, refusal = image.sha256, None
    if not has_original(intake.store, sha256):
        refusal = Refused(RefusalCode.ORIGINAL_MISSING)
    elif image.code in ARCHIVES:
        refusal = take_in_kept(sha256, image.arrivals[0].relative_path, intake)
    return inspect(sha256, intake.store.path(sha256), intake, refusal)


def _refusal(inspection: Inspection) -> Refused | None:
    """Return why an image is refused again; an image that was accepted meanwhile is a reason."""
    refusal, same_uid = inspection.refusal or refusal_of(inspection), inspection.same_uid
    if refusal is not None or same_uid is None or same_uid.likeness is Likeness.WHOLE:
        return refusal
    if same_uid.likeness is Likeness.BEGINNING:
        return Refused(RefusalCode.REPLACED_BY_WHOLE)
    return Refused(RefusalCode.ALREADY_ACCEPTED, same_uid.sha256[:12])
