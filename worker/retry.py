"""What was refused is tried again, as after a fix: from its original, by the rules of today."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import IntegrityError

from db.images import Identity
from db.refused import Which, refused_ids, refused_image, try_again
from db.tables import Image
from readfirst.domain import Header
from readfirst.errors import Refused
from readfirst.queue import Bell
from readfirst.refusals import RefusalCode
from worker.examine import examine, identify, known_film
from worker.resources import Resources

log = structlog.get_logger()
#: Numbers of images read in one query.
SLICE = 500


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
        image = session.get(Image, image_id)
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
    identity, header, refusal = _verdict(image.sha256, resources)
    with resources.database.write() as session:
        held = refused_image(session, image.id)
        if held is None:
            # Somebody else tried it again meanwhile.
            return None
        try_again(
            session,
            held,
            identity,
            header,
            refusal=refusal,
            at=datetime.now(UTC),
            max_wait=resources.settings.max_wait,
        )
    return refusal.code if refusal else None


def _verdict(sha256: str, resources: Resources) -> tuple[Identity, Header | None, Refused | None]:
    """What intake would say of the original today."""
    if not resources.store.has(sha256):
        return identify(sha256, None), None, Refused(RefusalCode.ORIGINAL_MISSING)
    header, refusal = examine(sha256, resources)
    identity = identify(sha256, header)
    if refusal is None:
        known = known_film(sha256, identity, resources)
        if isinstance(known, Refused):
            refusal = known
        elif known is not None:
            refusal = Refused(RefusalCode.ALREADY_ACCEPTED, known.sha256[:12])
    return identity, header, refusal
