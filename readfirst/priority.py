"""The reading order. The AI may only raise a study, and no study waits for ever.

A study is read by its *reading key*, the earliest first: the time at which it arrived, less a
head start of `max_wait` if it is flagged. So a flagged study passes every unflagged one that
arrived within `max_wait` before it, and nothing that arrives later than `max_wait` after a study
can pass it. The key depends on no clock, so the order is one indexed column. STAT studies stand
before all others, among themselves by the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from readfirst.words import readable_probability


class Standing(StrEnum):
    """Why a study stands where it stands."""

    STAT = "stat"
    FLAGGED = "flagged"
    WAITING = "waiting"
    NOT_SCORED = "not_scored"


@dataclass(frozen=True, slots=True)
class Overdue:
    """What has waited for so long that no flagged study which comes in now can pass it: it came in
    before a time, `max_wait` ago. The order itself knows no clock; this is for its sentence.
    """

    received_before: datetime
    max_wait: timedelta


def reading_key(received_at: datetime, *, flagged: bool, max_wait: timedelta) -> datetime:
    """The time that orders studies of one class; the earliest is read first."""
    return received_at - max_wait if flagged else received_at


def standing(*, stat: bool, flagged: bool, scored: bool) -> Standing:
    """The one reason that decides a study's place."""
    if stat:
        return Standing.STAT
    if flagged:
        return Standing.FLAGGED
    return Standing.WAITING if scored else Standing.NOT_SCORED


def why(
    place: Standing,
    *,
    probability: float | None,
    threshold: float | None,
    reasons: list[str],
    marks: Sequence[str] = (),
    overdue: Overdue | None = None,
) -> str:
    """One sentence that says why a study stands where it stands.

    reasons: the sentences of its refused images. marks: those of why its score is not validated;
    such a score speaks for a study, and never against it. overdue: given for a study that has
    waited for too long.
    """
    said = readable_probability(probability or 0.0)
    if probability is None or threshold is None:
        score = "not scored: " + " ".join(reasons) if reasons else "not scored yet"
    elif probability >= threshold:
        score = f"{said} reaches the threshold {threshold:.2f}"
    elif marks:
        score = f"{said}, which says nothing here"
    else:
        score = f"{said} is below the threshold {threshold:.2f}"
    if marks and probability is not None:
        score = f"{score}; not validated: {' '.join(marks)}"
    return f"{_lead(place, overdue)}; {score}"


def _lead(place: Standing, overdue: Overdue | None) -> str:
    if place is Standing.STAT:
        return "Ordered as STAT"
    if place is Standing.FLAGGED:
        return "Flagged"
    if overdue is None:
        return "By arrival"
    hours = overdue.max_wait / timedelta(hours=1)
    return f"Waiting longer than {hours:g} h, so no newly flagged study passes it"
