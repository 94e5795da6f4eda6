"""What was not scored: found, counted, and put back to work when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from db.events import note
from db.images import Identity, describe, refuse
from db.studies import raise_to_stat, reopen, study_of
from db.tables import Image
from db.views import OriginalView, RefusedView
from readfirst.domain import Header, ImageState
from readfirst.errors import Refused
from readfirst.marks import Mark
from readfirst.refusals import RefusalCode

#: A number of fewer digits is an image's number, a longer one the beginning of a digest.
LEAST_DIGEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which refused images are meant: all of them, or those of a code or of a time."""

    code: RefusalCode | None = None
    #: Refused then or later.
    since: datetime | None = None


ALL = Which()


@dataclass(frozen=True, slots=True)
class RefusedPlace:
    """A place among the refused images, the latest first."""

    refused_at: datetime
    image_id: int


def refused_images(
    session: Session, *, limit: int, which: Which = ALL, after: RefusedPlace | None = None
) -> list[RefusedView]:
    """What was not scored, the latest first, from the beginning or behind a place."""
    query = (
        select(Image)
        .where(*_meant(which))
        .options(joinedload(Image.study), selectinload(Image.arrivals))
        .order_by(Image.refused_at.desc(), Image.id.desc())
        .limit(limit)
    )
    if after is not None:
        place = (literal(after.refused_at, Image.refused_at.type), literal(after.image_id))
        query = query.where(tuple_(Image.refused_at, Image.id) < tuple_(*place))
    return [
        RefusedView(
            image_id=image.id,
            study_instance_uid=image.study.study_instance_uid,
            sha256=image.sha256,
            file_name=image.arrivals[0].relative_path,
            code=image.code.value,
            reason=image.reason or "",
            refused_at=image.refused_at,
            original_removed_at=image.original_removed_at,
        )
        for image in session.scalars(query)
        if image.code is not None and image.refused_at is not None
    ]


def refused_counts(session: Session, *, which: Which = ALL) -> dict[RefusalCode, int]:
    """How many images were refused by each code that occurs, the most frequent first."""
    number = func.count()
    query = (
        select(Image.code, number)
        .where(*_meant(which))
        .group_by(Image.code)
        .order_by(number.desc(), Image.code)
    )
    return {code: count for code, count in session.execute(query) if code is not None}


def refused_ids(session: Session, *, which: Which, after_id: int, limit: int) -> list[int]:
    """The numbers of refused images, in order; the next slice starts after the last of them."""
    query = select(Image.id).where(*_meant(which), Image.id > after_id)
    return list(session.scalars(query.order_by(Image.id).limit(limit)))


def find_original(session: Session, name: str) -> OriginalView | None:
    """The image of this number, or of this digest (sha256) or the beginning of one.

    None if there is none, or if several digests begin so.
    """
    query = select(Image).where(_named(name)).limit(2)
    found = session.scalars(query.options(selectinload(Image.arrivals))).all()
    if len(found) != 1:
        return None
    (image,) = found
    return OriginalView(
        image_id=image.id,
        sha256=image.sha256,
        state=image.state,
        file_name=image.arrivals[0].relative_path,
        original_removed_at=image.original_removed_at,
    )


def refused_image(session: Session, image_id: int) -> Image | None:
    """A refused image for writing; None if it is in another state."""
    query = select(Image).where(Image.id == image_id, Image.state == ImageState.REFUSED)
    return session.scalar(query.with_for_update())


def try_again(
    session: Session,
    image: Image,
    identity: Identity,
    header: Header | None,
    *,
    refusal: Refused | None,
    at: datetime,
    max_wait: timedelta,
    marks: tuple[Mark, ...] = (),
) -> None:
    """Put a refused image back to work, or refuse it again; its events keep both verdicts.

    A header that can be read now brings the image its own UIDs, and so perhaps another study.
    Raises IntegrityError if another image with this SOP Instance UID was accepted meanwhile.
    """
    if header is not None:
        _file_anew(session, image, identity, header, at, max_wait)
    note(session, image, "retried", at, code=image.code)
    if refusal is not None:
        refuse(session, image, refusal, at)
        return
    image.state, image.urgency = ImageState.RECEIVED, image.study.urgency
    image.marks = marks
    image.code = image.reason = image.refused_at = None
    image.attempts, image.last_error = 0, None
    image.original_removed_at = None
    session.flush()
    note(session, image, "received", at)
    reopen(session, image, at)
    if marks:
        note(session, image, "marked", at, codes=[mark.code.value for mark in marks])


def _file_anew(
    session: Session,
    image: Image,
    identity: Identity,
    header: Header,
    at: datetime,
    max_wait: timedelta,
) -> None:
    uid = identity.study_instance_uid
    # The film has waited since it came in, not since somebody could read it.
    study = study_of(
        session, uid, header, image.received_at, sha256=image.sha256, max_wait=max_wait
    )
    if study.id != image.study_id:
        note(session, image, "moved", at, study_instance_uid=study.study_instance_uid)
        if image.study.stat:
            raise_to_stat(session, study)
        image.study = study
        session.flush()
        reopen(session, image, at)
    image.sop_instance_uid = identity.sop_instance_uid
    image.series_instance_uid = identity.series_instance_uid
    describe(image, header)
    session.flush()


def _meant(which: Which) -> list[ColumnElement[bool]]:
    conditions = [Image.state == ImageState.REFUSED]
    if which.code is not None:
        conditions.append(Image.code == which.code)
    if which.since is not None:
        conditions.append(Image.refused_at >= which.since)
    return conditions


def _named(name: str) -> ColumnElement[bool]:
    if name.isdecimal() and len(name) < LEAST_DIGEST:
        return Image.id == int(name)
    begin = name.lower()
    # A range uses the index on every database; after the hexadecimal digits comes `g`.
    return Image.sha256.between(begin, begin + "g")
