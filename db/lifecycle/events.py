"""Domain events: what happened to an image or a study, and what caused it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from db.tables import Image, Score, Study


class Cause(StrEnum):
    """The reason why something changed."""

    #: A file came in, or a film got its first score.
    LIVE = "live"
    #: A film that had a score is scored once more, as every night by a newer ensemble.
    RESCORE = "rescore"
    #: Another ensemble is active, whose scores were there already.
    ROLLBACK = "rollback"
    #: A person had a refused film tried again.
    REPROCESS = "reprocess"
    #: A reader gave a verdict.
    READER = "reader"
    #: A report of another system says so.
    REPORT = "report"
    #: The site's settings say how long originals are kept.
    RETENTION = "retention"
    #: The ensemble has another threshold.
    THRESHOLD = "threshold"
    #: Nobody has read a study in the time that the site's settings say.
    WAITING = "waiting"
    #: An order of the radiology information system says so.
    ORDER = "order"
    #: The radiology information system corrects a patient, or merges two.
    PATIENT = "patient"


class EventAction(StrEnum):
    """The kinds of events. Their values are stored, and stand in the API: none ever changes."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    MARKED = "marked"
    DETAILS_ADDED = "details_added"
    CONTRADICTED = "contradicted"
    REPLACED = "replaced"
    READY = "ready"
    PREPARE_AGAIN = "prepare_again"
    ATTEMPT_FAILED = "attempt_failed"
    REFUSED = "refused"
    RETRIED = "retried"
    MOVED = "moved"
    RESCORE = "rescore"
    SCORED = "scored"
    SCORE_CONFIRMED = "score_confirmed"
    SCORE_NOT_REPRODUCED = "score_not_reproduced"
    ORIGINAL_REMOVED = "original_removed"
    ORIGINAL_RESTORED = "original_restored"
    RAISED_TO_STAT = "raised_to_stat"
    FLAGGED = "flagged"
    FLAG_WITHDRAWN = "flag_withdrawn"
    VERDICT = "verdict"
    READ = "read"
    UNREAD = "unread"
    PRIOR = "prior"
    NO_PRIOR = "no_prior"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    ORDER_CANCELLED = "order_cancelled"
    REPORTED = "reported"
    REPORT_WITHDRAWN = "report_withdrawn"
    PATIENT_CORRECTED = "patient_corrected"
    PATIENT_MERGED = "patient_merged"
    MERGE_UNDONE = "merge_undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A thing that happened.

    image: None if it is of the whole study. score: the one that a scoring or a flag is about.
    detail: plain values, never a patient's data.
    """

    action: EventAction
    study: Study
    cause: Cause
    image: Image | None = None
    score: Score | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def image_event(
    action: EventAction, image: Image, cause: Cause, *, score: Score | None = None, **detail: Any
) -> DomainEvent:
    """An event of one image, which is in its study already."""
    return DomainEvent(
        action=action, study=image.study, image=image, cause=cause, score=score, detail=detail
    )
