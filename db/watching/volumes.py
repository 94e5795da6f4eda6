"""How much came in and what became of it, by day or week of its arrival."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from db.tables import Image, SetAside, Study
from db.watching.stretches import stretch_of, within
from readfirst.domain import ImageState
from readfirst.watching.period import Period
from readfirst.watching.shares import share


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What came in on a day or in a week, and what has become of it since.

    flagged_share: of the studies with a score, with its 95 % interval; None where there is none.
    """

    first: date
    last: date
    images: int
    scored: int
    refused: int
    in_work: int
    set_aside: int
    studies: int
    studies_scored: int
    flagged: int
    flagged_share: float | None
    flagged_low: float | None
    flagged_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """How many images that came in on a day or in a week were refused by one code."""

    first: date
    last: date
    code: str
    images: int


def volumes(session: Session, period: Period) -> list[Volume]:
    """One row for each stretch of the period, empty ones too."""
    images, studies, aside = (
        _images(session, period),
        _studies(session, period),
        _set_aside(session, period),
    )
    return [
        volume(
            one.first,
            one.last,
            {state: images[number, state] for state in ImageState},
            {kind: studies[number, kind] for kind in (None, False, True)},
            aside[number],
        )
        for number, one in enumerate(period.stretches)
    ]


def volume(
    first: date,
    last: date,
    images: dict[ImageState, int],
    studies: dict[bool | None, int],
    set_aside: int,
) -> Volume:
    """A row from its counts. studies: by their flag, None for those without a score."""
    flagged = share(studies[True], studies[True] + studies[False])
    return Volume(
        first=first,
        last=last,
        images=sum(images.values()),
        scored=images[ImageState.SCORED],
        refused=images[ImageState.REFUSED],
        in_work=images[ImageState.RECEIVED] + images[ImageState.READY],
        set_aside=set_aside,
        studies=sum(studies.values()),
        studies_scored=flagged.of,
        flagged=flagged.hits,
        flagged_share=flagged.value,
        flagged_low=flagged.low,
        flagged_high=flagged.high,
    )


def refusals(session: Session, period: Period) -> list[Refusals]:
    """One row for each stretch and code that occurs, in this order."""
    stretch = stretch_of(Image.received_at, period)
    query = (
        select(stretch, Image.code, func.count())
        .where(within(Image.received_at, period), Image.state == ImageState.REFUSED)
        .group_by(stretch, Image.code)
        .order_by(stretch, Image.code)
    )
    return [
        Refusals(
            first=period.stretches[number].first,
            last=period.stretches[number].last,
            code=code.value,
            images=images,
        )
        for number, code, images in session.execute(query)
        if code is not None
    ]


def _images(session: Session, period: Period) -> Counter[tuple[int, ImageState]]:
    stretch = stretch_of(Image.received_at, period)
    query = (
        select(stretch, Image.state, func.count())
        .where(within(Image.received_at, period))
        .group_by(stretch, Image.state)
    )
    return Counter({(number, state): count for number, state, count in session.execute(query)})


def _studies(session: Session, period: Period) -> Counter[tuple[int, bool | None]]:
    stretch = stretch_of(Study.received_at, period)
    flag = case((Study.probability.is_not(None), Study.flagged)).label("flag")
    query = (
        select(stretch, flag, func.count())
        # A study is empty after its only image, refused, turned out to belong to another one.
        .where(within(Study.received_at, period), Study.images.any())
        .group_by(stretch, flag)
    )
    return Counter({(number, flag): count for number, flag, count in session.execute(query)})


def _set_aside(session: Session, period: Period) -> Counter[int]:
    stretch = stretch_of(SetAside.arrived_at, period)
    query = (
        select(stretch, func.count()).where(within(SetAside.arrived_at, period)).group_by(stretch)
    )
    return Counter(dict(session.execute(query).all()))
