"""How long films take from their arrival to the worklist, and studies until they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.tables import Image, Score, Study
from db.watching.stretches import within
from readfirst.domain import ImageState
from readfirst.watching.durations import durations
from readfirst.watching.period import Period, Stretch

#: The latest arrivals that are looked at; their times are put in order here, not in the database.
MOST_ROWS = 20_000
Taken = Sequence[tuple[datetime, datetime | None, bool, float | None]]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long a step took for what came in on a day, in a week, or in the whole period.

    span: `period`, `day` or `week`. step: `worklist`, from a film's arrival to its first score;
    `read`, from a study's arrival to when it was read. studies: `all`, `flagged`, or `not_flagged`,
    which have a score. p50, p95, p99: in seconds, of those done; open: how many are not done yet.
    """

    span: str
    first: date
    last: date
    step: str
    studies: str
    done: int
    open: int
    p50: float | None
    p95: float | None
    p99: float | None


def times(session: Session, period: Period) -> list[Times]:
    """For each step those of the whole period first, then of each stretch in which films came."""
    return [
        row
        for step, query in (("worklist", _films(period)), ("read", _read(period)))
        for row in _times(step, session.execute(query).all(), period)
    ]


def _films(period: Period) -> Select[datetime, datetime, bool, float | None]:
    """What came in and is not refused: when, when first scored, flag and score of its study."""
    latest = (
        select(Image.id, Image.study_id, Image.received_at)
        .where(within(Image.received_at, period), Image.state != ImageState.REFUSED)
        .order_by(Image.received_at.desc())
        .limit(MOST_ROWS)
        .subquery()
    )
    return (
        select(latest.c.received_at, func.min(Score.scored_at), Study.flagged, Study.probability)
        .join(Study, latest.c.study_id == Study.id)
        .outerjoin(Score, Score.image_id == latest.c.id)
        .group_by(latest.c.id, latest.c.received_at, Study.flagged, Study.probability)
    )


def _read(period: Period) -> Select[datetime, datetime | None, bool, float | None]:
    """Studies that came in: when, when read, flag and score."""
    return (
        select(Study.received_at, Study.read_at, Study.flagged, Study.probability)
        # A study is empty after its only image, refused, turned out to belong to another one.
        .where(within(Study.received_at, period), Study.images.any())
        .order_by(Study.received_at.desc())
        .limit(MOST_ROWS)
    )


def _times(step: str, rows: Taken, period: Period) -> list[Times]:
    arrived = np.array([start.timestamp() for start, *_ in rows])
    seconds = np.array(
        [np.nan if end is None else (end - start).total_seconds() for start, end, *_ in rows]
    )
    flagged = np.array([flag for _, _, flag, _ in rows], dtype=bool)
    scored = np.array([score is not None for *_, score in rows], dtype=bool)
    groups = {"all": np.ones(len(rows), dtype=bool), "flagged": flagged & scored}
    groups["not_flagged"] = scored & ~flagged
    ends = [end.timestamp() for end in period.ends(period.stretches)]
    stretch = np.searchsorted(ends, arrived, side="right")
    found = []
    for number, (span, one) in enumerate(_spans(period), -1):
        meant = (stretch == number) | (number < 0)
        found += [
            _row(span, one, step, name, seconds[meant & group])
            for name, group in groups.items()
            if span == "period" or (meant & group).any()
        ]
    return found


def _spans(period: Period) -> list[tuple[str, Stretch]]:
    whole = Stretch(period.first, period.last)
    return [("period", whole), *((period.by, one) for one in period.stretches)]


def _row(span: str, one: Stretch, step: str, studies: str, seconds: Array) -> Times:
    took = durations(seconds)
    return Times(
        span=span,
        first=one.first,
        last=one.last,
        step=step,
        studies=studies,
        done=took.done,
        open=took.open,
        p50=took.p50,
        p95=took.p95,
        p99=took.p99,
    )
