"""How many films lie in each bin of what is watched for drift, by scanner and stretch."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Integer, case, func, literal, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.tables import Image, Score
from db.watching.scanners import SCANNER, Counted, Counts, scanner_name
from db.watching.stretches import stretch_of, within
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode
from readfirst.watching.period import Period
from readfirst.watching.reference import Binned, Reference

#: What became of a film that is not refused.
SCORED = "scored"


@dataclass(frozen=True, slots=True)
class Value:
    """A number of each film that is watched. edges: of its bins where no reference names others."""

    column: InstrumentedAttribute[Any]
    distribution: Callable[[Reference], Binned]
    edges: tuple[float, ...]


TENTHS = tuple(number / 10 for number in range(1, 10))
VALUES = {
    "scores": Value(Score.probability, lambda reference: reference.scores, TENTHS),
    "exposure": Value(
        Image.median_grey,
        lambda reference: reference.median_grey,
        tuple(255 * share for share in TENTHS),
    ),
    "clipping": Value(
        Image.clipped_share,
        lambda reference: reference.clipped_share,
        (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
    ),
}


def distributed(
    session: Session, period: Period, value: Value, edges: Sequence[float], version: str
) -> Counted:
    """Films of each scanner and week whose value lies in each bin. version: of the scores."""
    week = stretch_of(Image.received_at, period, period.weeks)
    place = _bin(value.column, edges)
    query = select(*SCANNER, week, place, func.count()).where(
        within(Image.received_at, period), value.column.is_not(None)
    )
    if value.column is Score.probability:
        query = query.join(Score, Score.image_id == Image.id).where(
            Score.ensemble_version == version
        )
    return _table(session.execute(query.group_by(*SCANNER, week, place)), len(edges) + 1)


def outcomes(session: Session, period: Period) -> dict[tuple[str, int], dict[str, int]]:
    """What became of the films of each scanner and week: scored, or the refusal's code."""
    week = stretch_of(Image.received_at, period, period.weeks)
    query = (
        select(*SCANNER, week, Image.code, func.count())
        .where(
            within(Image.received_at, period),
            Image.state.in_((ImageState.SCORED, ImageState.REFUSED)),
        )
        .group_by(*SCANNER, week, Image.code)
    )
    found: defaultdict[tuple[str, int], dict[str, int]] = defaultdict(dict)
    for *said, number, code, films in session.execute(query):
        kinds = found[scanner_name(*said), number]
        kind = SCORED if code is None else code.value
        kinds[kind] = kinds.get(kind, 0) + films
    return dict(found)


def by_kind(found: dict[tuple[str, int], dict[str, int]], kinds: Sequence[str]) -> Counted:
    """Outcomes as counts of the named kinds, in their order; others are left out."""
    return {
        place: np.array([counts.get(kind, 0) for kind in kinds], dtype=np.int64)
        for place, counts in found.items()
    }


#: What a film that reaches the networks may end as: the reference knows no other refusal.
AT_THE_NETWORKS = (SCORED, RefusalCode.NOT_A_CHEST_RADIOGRAPH.value)


def _bin(column: InstrumentedAttribute[Any], edges: Sequence[float]) -> ColumnElement[int]:
    if not edges:
        return literal(0).label("bin")
    below = ((column < edge, number) for number, edge in enumerate(edges))
    return type_coerce(case(*below, else_=len(edges)), Integer).label("bin")


def _table(rows: Iterable[Any], bins: int) -> Counted:
    found: defaultdict[tuple[str, int], Counts] = defaultdict(
        lambda: np.zeros(bins, dtype=np.int64)
    )
    for *said, number, place, films in rows:
        found[scanner_name(*said), number][place] += films
    return dict(found)
