"""Priors: earlier studies that came in for comparison, and are no work to be read. Pure.

Only a film that was old when it came in is one. Of a film that came in within a day, as those of
intensive care, nobody knows that it has been read elsewhere, however many newer ones follow it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

#: A film that came in sooner after it was taken is work, whatever else came in of its patient.
#: A newer study may say that it was taken this much later than it came in: clocks differ.
A_DAY = timedelta(days=1)


class PriorReason(StrEnum):
    """The reason why a study is a prior. Stored, so it never changes."""

    #: It was old when it came in.
    OLD = "old"
    #: The patient has a newer study.
    NEWER_STUDY = "newer_study"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDates:
    """The dates of a study of a patient. taken_at: Study Date and Time; None if no file says it."""

    taken_at: datetime | None
    received_at: datetime
    birth_date: date | None = None


def prior_reason(
    study: StudyDates, others: Iterable[StudyDates], after: timedelta
) -> PriorReason | None:
    """Return why a study is a prior; None if it is work to be read.

    others: of the same patient. after: the age at arrival from which a study is one by itself.
    """
    taken_at = _believed(study)
    if taken_at is None:
        return None
    age = study.received_at - taken_at
    if age >= after:
        return PriorReason.OLD
    if age < A_DAY:
        return None
    newer = any((_believed(other) or taken_at) > taken_at for other in others)
    return PriorReason.NEWER_STUDY if newer else None


def _believed(study: StudyDates) -> datetime | None:
    """The time of a study, unless it cannot be true: before birth, or after it came in."""
    at, born = study.taken_at, study.birth_date
    if at is None or at > study.received_at + A_DAY:
        return None
    return None if born is not None and at.date() < born else at
