"""Totals of all that ever came in: the sums of kept days, and what is counted anew."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.monitoring.columns import NONE, STATES, Columns
from db.read_models import Counts
from db.tables import Image, KeptDay, Study
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode


def totals_of(columns: Columns) -> dict[str, Any]:
    """The numbers of a day that are kept for the sums."""
    states = np.bincount(columns.films["state"], minlength=len(STATES))
    refused = columns.films["state"] == STATES.index(ImageState.REFUSED)
    codes = columns.films["code"][refused & (columns.films["code"] != NONE)]
    return {
        "states": {state.value: int(states[number]) for number, state in enumerate(STATES)},
        "codes": {columns.names[code]: int((codes == code).sum()) for code in np.unique(codes)},
        "studies": len(columns.studies),
        "flagged": int(columns.studies["flagged"].sum()),
    }


def totals(session: Session) -> tuple[Counts, dict[RefusalCode, int]]:
    """Studies and images of all times, and how many were refused by each code."""
    states, codes, numbers = Counter[str](), Counter[str](), Counter[str]()
    kept: list[tuple[datetime, datetime]] = []
    query = select(KeptDay.starts_at, KeptDay.ends_at, KeptDay.totals).order_by(KeptDay.starts_at)
    for start, end, sums in session.execute(query):
        if kept and kept[-1][1] > start:
            # Of another zone, while the site's zone is being changed.
            continue
        kept.append((start, end))
        states.update(sums["states"])
        codes.update(sums["codes"])
        numbers.update(studies=sums["studies"], flagged=sums["flagged"])
    _add_others(session, kept, states, codes, numbers)
    counts = Counts(
        studies=numbers["studies"],
        flagged=numbers["flagged"],
        images={state: states[state.value] for state in ImageState},
    )
    return counts, {RefusalCode(code): count for code, count in codes.most_common()}


def _add_others(
    session: Session,
    kept: list[tuple[datetime, datetime]],
    states: Counter[str],
    codes: Counter[str],
    numbers: Counter[str],
) -> None:
    """Count what came in between, before and after the kept days."""
    films = select(Image.state, Image.code, func.count()).group_by(Image.state, Image.code)
    for state, code, count in session.execute(films.where(_outside(Image.received_at, kept))):
        states[state.value] += count
        if state is ImageState.REFUSED and code is not None:
            codes[code.value] += count
    studies = (
        select(Study.flagged, func.count())
        .where(_outside(Study.received_at, kept), Study.images.any())
        .group_by(Study.flagged)
    )
    for flagged, count in session.execute(studies):
        numbers["studies"] += count
        numbers["flagged"] += count if flagged else 0


def _outside(
    column: InstrumentedAttribute[datetime], kept: list[tuple[datetime, datetime]]
) -> ColumnElement[bool]:
    """True in SQL for moments that lie in none of these spans, which are in order."""
    if not kept:
        return column.is_not(None)
    spans = [column < kept[0][0], column >= kept[-1][1]]
    for (_, end), (start, _) in pairwise(kept):
        if start > end:
            spans.append((column >= end) & (column < start))
    return or_(*spans)
