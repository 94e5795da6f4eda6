"""Totals of all that ever came in: the sums of kept days, and what is counted anew."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.monitoring.columns import NONE, STATES, Columns
from db.read_models import Counts
from db.tables import Image, KeptDay, Study
from readfirst.domain import ImageState
from readfirst.refusals import RefusalCode

#: From a moment on, and before another one; None: from the first on, or to the last.
Span = tuple[datetime | None, datetime | None]


def totals_of(films: Columns, studies: Columns) -> dict[str, Any]:
    """The numbers of a day that are kept for the sums."""
    states = np.bincount(films["state"], minlength=len(STATES))
    refused = films["state"] == STATES.index(ImageState.REFUSED)
    codes = films["code"][refused & (films["code"] != NONE)]
    return {
        "states": {state.value: int(states[number]) for number, state in enumerate(STATES)},
        "codes": {films.names[code]: int((codes == code).sum()) for code in np.unique(codes)},
        "studies": len(studies),
        "flagged": int(studies["flagged"].sum()),
        "flagged_by": _flagged_by(studies),
    }


def _flagged_by(studies: Columns) -> dict[str, int]:
    """Flagged studies by the ensemble version that they rank by."""
    versions = studies["version"][studies["flagged"]]
    numbers, counts = np.unique(versions, return_counts=True)
    return {
        studies.names[number]: int(count)
        for number, count in zip(numbers, counts, strict=True)
        if number != NONE
    }


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of all times. refused: images by code. flagged_by: studies by ensemble version."""

    counts: Counts
    refused: dict[RefusalCode, int]
    flagged_by: dict[str, int]


def totals(session: Session) -> Totals:
    """Count studies and images of all times."""
    states, codes, numbers = Counter[str](), Counter[str](), Counter[str]()
    flagged_by = Counter[str]()
    kept: list[Span] = []
    query = select(KeptDay.starts_at, KeptDay.ends_at, KeptDay.totals).order_by(KeptDay.starts_at)
    for start, end, sums in session.execute(query):
        if kept and kept[-1][1] > start:
            # Of another zone, while the site's zone is being changed.
            continue
        kept.append((start, end))
        states.update(sums["states"])
        codes.update(sums["codes"])
        numbers.update(studies=sums["studies"], flagged=sums["flagged"])
        flagged_by.update(sums["flagged_by"])
    for span in _others(kept):
        _add_images(session, span, states, codes)
        _add_studies(session, span, numbers, flagged_by)
    counts = Counts(
        studies=numbers["studies"],
        flagged=numbers["flagged"],
        images={state: states[state.value] for state in ImageState},
    )
    refused = {RefusalCode(code): count for code, count in codes.most_common()}
    return Totals(counts, refused, dict(flagged_by))


def _add_images(session: Session, span: Span, states: Counter[str], codes: Counter[str]) -> None:
    """Count images that came in between, before and after the kept days."""
    films = (
        select(Image.state, Image.code, func.count())
        .where(_within(Image.received_at, span))
        # SQLite would walk all images by the index that begins with the state.
        .group_by(Image.code, Image.state)
    )
    for state, code, count in session.execute(films):
        states[state.value] += count
        if state is ImageState.REFUSED and code is not None:
            codes[code.value] += count


def _add_studies(
    session: Session, span: Span, numbers: Counter[str], flagged_by: Counter[str]
) -> None:
    """The same of studies."""
    studies = (
        select(Study.flagged, Study.ensemble_version, func.count())
        .where(_within(Study.received_at, span), Study.images.any())
        .group_by(Study.flagged, Study.ensemble_version)
    )
    for flagged, version, count in session.execute(studies):
        numbers["studies"] += count
        if flagged:
            numbers["flagged"] += count
        if flagged and version is not None:
            flagged_by[version] += count


def _others(kept: list[Span]) -> list[Span]:
    """The spans before, between and after those that are kept, which are in order."""
    ends = [None, *(end for _, end in kept)]
    starts = [*(start for start, _ in kept), None]
    return [
        (end, start)
        for end, start in zip(ends, starts, strict=True)
        if end is None or start is None or end < start
    ]


def _within(column: InstrumentedAttribute[datetime], span: Span) -> ColumnElement[bool]:
    """True in SQL for moments of a span: a run of one index, so that no other row is read."""
    start, end = span
    conditions: list[ColumnElement[bool]] = (
        [column.is_not(None)] if start is None and end is None else []
    )
    if start is not None:
        conditions.append(column >= start)
    if end is not None:
        conditions.append(column < end)
    return and_(*conditions)
