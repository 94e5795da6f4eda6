"""What was refused is tried again, as after a fix: from its original, by the rules of today."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from db.images import Identity
from db.refused import Which, refused_ids, refused_image, try_again
from db.tables import Image
from readfirst.errors import Refused
from readfirst.queue import Bell
from readfirst.refusals import RefusalCode
from worker.archives import take_in_kept
from worker.examine import Examination, examine, identify, known_film
from worker.resources import Resources

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
    """What became of one refused image. now: why it is refused again; None: it is back in work."""

    image_id: int
    sha256: str
    before: RefusalCode
    now: RefusalCode | None


def refused(resources: Resources, which: Which) -> Iterator[int]:
    """The numbers of the refused images that are meant, in order."""
    last = 0
    while True:
        with resources.database.read() as session:
            ids = refused_ids(session, which=which, after_id=last, limit=SLICE)
        if not ids:
            return
        yield from ids
        last = ids[-1]


def retry(resources: Resources, image_ids: Iterable[int]) -> Iterator[Retried]:
    """Try refused images again, each in a transaction of its own, and leave out all others.

    What passes is back in work: whether its pixels can be decoded, and whether they show a chest,
    the workers find out. Raises Unavailable when disk or database do not answer.
    """
    back = 0
    for image_id in image_ids:
        retried = _retry(image_id, resources)
        if retried is None:
            continue
        back += retried.now is None
        if back == 1:
            # The workers may begin; they go on while there is work.
            resources.ringer.ring(Bell.PREPARE)
        yield retried
    if back:
        resources.ringer.ring(Bell.PREPARE)


def _retry(image_id: int, resources: Resources) -> Retried | None:
    with resources.database.read() as session:
        image = session.get(Image, image_id, options=[selectinload(Image.arrivals)])
    if image is None or image.code is None:
        return None
    try:
        now = _judge_anew(image, resources)
    except IntegrityError:
        # Another file with this SOP Instance UID was accepted meanwhile: now it is known.
        now = _judge_anew(image, resources)
    log.info(
        "retried",
        action="retry",
        sha256=image.sha256,
        before=image.code.value,
        code=now.value if now else None,
    )
    return Retried(image_id=image_id, sha256=image.sha256, before=image.code, now=now)


def _judge_anew(image: Image, resources: Resources) -> RefusalCode | None:
    """Commit the verdict of today: the code of a new refusal, or None for work."""
    identity, examined = _verdict(image, resources)
    with resources.database.write() as session:
        held = refused_image(session, image.id)
        if held is None:
            # Somebody else tried it again meanwhile.
            return None
        try_again(
            session,
            held,
            identity,
            examined.header,
            refusal=examined.refusal,
            at=datetime.now(UTC),
            max_wait=resources.settings.max_wait,
            marks=examined.marks,
        )
    return examined.refusal.code if examined.refusal else None


def _verdict(image: Image, resources: Resources) -> tuple[Identity, Examination]:
    """What intake would say of the original today; what an archive holds comes in."""
    sha256 = image.sha256
    if not resources.store.has(sha256):
        missing = Refused(RefusalCode.ORIGINAL_MISSING)
        return identify(sha256, None), Examination(None, missing)
    if image.code in ARCHIVES:
        refusal = take_in_kept(sha256, image.arrivals[0].relative_path, resources)
        return identify(sha256, None), Examination(None, refusal)
    examined = examine(sha256, resources)
    identity = identify(sha256, examined.header)
    if examined.refusal is None:
        known = known_film(sha256, examined.header, identity, resources)
        if isinstance(known, Refused):
            return identity, Examination(examined.header, known)
        if known is not None:
            accepted = Refused(RefusalCode.ALREADY_ACCEPTED, known.sha256[:12])
            return identity, Examination(examined.header, accepted)
    return identity, examined
