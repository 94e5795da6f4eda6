"""Refused images: found, counted and listed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from db.read_models import OriginalRecord, RefusedRecord
from db.session import rows_of
from db.tables import Image, Study
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode, refusal_text

#: A number of fewer digits is an image's number, a longer one the beginning of a digest.
LEAST_DIGEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFilter:
    """The refused images that are meant: all of them, or those of a code or of a time."""

    code: RefusalCode | None = None
    #: Of one of these codes.
    codes: tuple[RefusalCode, ...] | None = None
    #: Refused then or later.
    since: datetime | None = None


ALL = RefusedFilter()
#: Of files without a film that somebody may have meant as one.
UNREADABLE = (
    RefusalCode.EMPTY_FILE,
    RefusalCode.NOT_AN_IMAGE,
    RefusalCode.ARCHIVE_WITHOUT_IMAGES,
)

#: Made once: to put it together takes longer than to run it.
_COUNT_UNREADABLE = (
    select(func.count())
    .select_from(Image)
    .join(Study)
    .where(Image.state == ImageState.REFUSED, Image.refused_at >= bindparam("since"))
    .where(Image.code.in_(UNREADABLE), Study.read_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class RefusedPosition:
    """A position among the refused images, the latest first."""

    refused_at: datetime
    image_id: int


def refused_images(
    session: Session,
    *,
    limit: int,
    which: RefusedFilter = ALL,
    after: RefusedPosition | None = None,
) -> list[RefusedRecord]:
    """Return what was not scored, the latest first, from the beginning or behind a position."""
    query = (
        select(Image)
        .where(*refused_conditions(which))
        .options(joinedload(Image.study), selectinload(Image.arrivals))
        .order_by(Image.refused_at.desc(), Image.id.desc())
        .limit(limit)
    )
    if after is not None:
        cursor = (literal(after.refused_at, Image.refused_at.type), literal(after.image_id))
        query = query.where(tuple_(Image.refused_at, Image.id) < tuple_(*cursor))
    return [
        RefusedRecord(
            image_id=image.id,
            study_instance_uid=image.study.study_instance_uid,
            sha256=image.sha256,
            file_name=image.arrivals[0].relative_path,
            code=image.code.value,
            reason=refusal_text(image.code, image.reason or ""),
            refused_at=image.refused_at,
            original_removed_at=image.original_removed_at,
            patient_name=image.study.patient_name,
            ready_at=image.ready_at,
            read_at=image.study.read_at,
        )
        for image in session.scalars(query)
        if image.code is not None and image.refused_at is not None
    ]


def count_refused_before(
    session: Session, after: RefusedPosition, *, which: RefusedFilter = ALL
) -> int:
    """Count the refused images up to a position, that one included."""
    cursor = (literal(after.refused_at, Image.refused_at.type), literal(after.image_id))
    query = select(func.count()).select_from(Image).where(*refused_conditions(which))
    up_to = tuple_(Image.refused_at, Image.id) >= tuple_(*cursor)
    return session.scalar(query.where(up_to)) or 0


def count_unreadable(session: Session, since: datetime) -> int:
    """Count the files that came to nothing since then, and that nobody has dismissed."""
    return rows_of(session, _COUNT_UNREADABLE, {"since": since}).scalar_one()


def refused_counts(session: Session, *, which: RefusedFilter = ALL) -> dict[RefusalCode, int]:
    """Count the images refused by each code that occurs, the most frequent first."""
    number = func.count()
    query = (
        select(Image.code, number)
        .where(*refused_conditions(which))
        .group_by(Image.code)
        .order_by(number.desc(), Image.code)
    )
    return {code: count for code, count in session.execute(query) if code is not None}


def refused_ids(session: Session, *, which: RefusedFilter, after_id: int, limit: int) -> list[int]:
    """The numbers of refused images, in order; the next slice starts after the last of them."""
    query = select(Image.id).where(*refused_conditions(which), Image.id > after_id)
    return list(session.scalars(query.order_by(Image.id).limit(limit)))


def find_original(session: Session, name: str) -> OriginalRecord | None:
    """The image of this number, or of this digest (sha256) or the beginning of one.

    None if there is none, or if several digests begin so.
    """
    query = select(Image).where(_named(name)).limit(2)
    images = session.scalars(query.options(selectinload(Image.arrivals))).all()
    if len(images) != 1:
        return None
    (image,) = images
    return OriginalRecord(
        image_id=image.id,
        sha256=image.sha256,
        state=image.state,
        file_name=image.arrivals[0].relative_path,
        original_removed_at=image.original_removed_at,
    )


def refused_conditions(which: RefusedFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of refused images, and of what the filter says."""
    conditions = [Image.state == ImageState.REFUSED]
    if which.code is not None:
        conditions.append(Image.code == which.code)
    if which.codes is not None:
        conditions.append(Image.code.in_(which.codes))
    if which.since is not None:
        conditions.append(Image.refused_at >= which.since)
    return conditions


def _named(name: str) -> ColumnElement[bool]:
    if name.isascii() and name.isdecimal() and len(name) < LEAST_DIGEST:
        return Image.id == int(name)
    begin = name.lower()
    # A range uses the index on every database; after the hexadecimal digits comes `g`.
    return Image.sha256.between(begin, begin + "g")
