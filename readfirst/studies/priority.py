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

from readfirst.formatting import readable_probability
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.studies.marks import MARK_WORDS, MarkCode, Validity, validity

#: In place of the reason for the rank of a study that is not to be read.
PRIOR = "Prior, for comparison."


class PriorityReason(StrEnum):
    """Why a study stands where it stands."""

    STAT = "stat"
    FLAGGED = "flagged"
    WAITING = "waiting"
    NOT_SCORED = "not_scored"


@dataclass(frozen=True, slots=True)
class Overdue:
    """The limit beyond which no flagged study that comes in now can pass a waiting one.

    A study that came in before a time, `max_wait` ago, is overdue. The order itself knows no clock;
    this is for its sentence.
    """

    received_before: datetime
    max_wait: timedelta


def reading_key(received_at: datetime, *, flagged: bool, max_wait: timedelta) -> datetime:
    """The time that orders studies of one class; the earliest is read first."""
    return received_at - max_wait if flagged else received_at


def priority_reason(*, stat: bool, flagged: bool, scored: bool) -> PriorityReason:
    """Return the one reason that decides a study's rank."""
    if stat:
        return PriorityReason.STAT
    if flagged:
        return PriorityReason.FLAGGED
    return PriorityReason.WAITING if scored else PriorityReason.NOT_SCORED


def explain_priority(
    reason: PriorityReason,
    *,
    probability: float | None,
    threshold: float | None,
    reasons: list[str],
    marks: Sequence[MarkCode] = (),
    prior: bool = False,
    overdue: Overdue | None = None,
    rescored: bool = False,
) -> str:
    """Return the sentences that say why a study stands where it stands.

    reasons: the sentences of its refused images. marks: why its score is not to be trusted; such a
    score speaks for a study, and never against it. prior: it is not to be read. overdue: given for
    a study that has waited for too long. rescored: its flag is of a later scoring.
    """
    if probability is None or threshold is None:
        score = gettext("Not scored yet.")
        if reasons:
            score = gettext("Not scored: {reason}").format(reason=" ".join(reasons))
    else:
        score = _score(probability, threshold, marks)
    return " ".join(
        filter(
            None, (gettext(PRIOR) if prior else _lead(reason, overdue, rescored=rescored), score)
        )
    )


def _score(probability: float, threshold: float, marks: Sequence[MarkCode]) -> str:
    text, bound = readable_probability(probability), readable_probability(threshold)
    doubts = ", ".join(gettext(MARK_WORDS[code]) for code in marks)
    in_doubt = validity(marks) is Validity.IN_DOUBT
    if probability < threshold and marks:
        against = gettext("Score {score} not valid: {doubts}.")
        if in_doubt:
            against = gettext("Score {score} in doubt: {doubts}.")
        return against.format(score=text, doubts=doubts)
    against = gettext("AI {score} (threshold {threshold})")
    # Two that are written alike are told apart by a word.
    if probability < threshold and text == bound:
        against = gettext("AI {score} (just below the threshold {threshold})")
    caveat = f", {doubts}" if in_doubt else ""
    if marks and not in_doubt:
        caveat = gettext(", not validated: {doubts}").format(doubts=doubts)
    return f"{against.format(score=text, threshold=bound)}{caveat}."


def _lead(reason: PriorityReason, overdue: Overdue | None, *, rescored: bool) -> str:
    if reason is PriorityReason.STAT:
        return gettext("Ordered as STAT.")
    if reason is PriorityReason.FLAGGED:
        return gettext("Re-scored.") if rescored else ""
    if overdue is None:
        return gettext("In order of arrival.")
    hours = overdue.max_wait / timedelta(hours=1)
    text = gettext("Waiting over {hours} h: cannot be overtaken.")
    return text.format(hours=number_text(hours, "g"))
