"""The steps of a study: raised, flagged, read. Each returns the domain events that it is.

A study ranks by one score, its deciding one, and one threshold: flag, probability and threshold,
and the versions of both, are of these two.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from db.ensembles.thresholds import ActiveThreshold, ActiveThresholds
from db.lifecycle.events import Cause, DomainEvent, EventAction, image_event
from db.tables import Image, Score, Study
from readfirst.domain import Header, Urgency
from readfirst.ris.values import ReportStatus
from readfirst.studies.identity import differences, patient_of
from readfirst.studies.priority import reading_key
from readfirst.studies.priors import PriorReason

#: A score, or what is wanted of one.
Answer = TypeVar("Answer")
#: What a study takes from the first of its images that says it.
DESCRIPTION = (
    "patient_id",
    "issuer_of_patient_id",
    "patient_name",
    "patient_birth_date",
    "patient_sex",
    "patient_age",
    "accession_number",
    "referring_physician_name",
    "institution_name",
    "study_description",
    "requested_procedure_description",
    "reason_for_the_requested_procedure",
    "additional_patient_history",
    "study_datetime",
)


def new_study(
    study_instance_uid: str, received_at: datetime, max_wait: timedelta, *, stat: bool
) -> Study:
    """A study of which nothing is scored yet, and which nobody has read."""
    return Study(
        study_instance_uid=study_instance_uid,
        received_at=received_at,
        last_received_at=received_at,
        study_instance_uid_made_here=False,
        urgency=Urgency.STAT if stat else Urgency.LIVE,
        flagged=False,
        reading_key=reading_key(received_at, flagged=False, max_wait=max_wait),
    )


def describe(
    study: Study, header: Header, cause: Cause, *, is_copy: bool = False
) -> list[DomainEvent]:
    """Fill in what the study's earlier files left empty; nothing else is ever changed.

    The events tell what was added, and what this header says otherwise, by the names alone.
    is_copy: of an image of the study; another image may well be of another order.
    """
    contradicted = contradictions(study, header, is_copy=is_copy)
    added = [
        name
        for name in DESCRIPTION
        if getattr(study, name) is None and getattr(header, name) is not None
    ]
    for name in added:
        setattr(study, name, getattr(header, name))
    changes = {EventAction.DETAILS_ADDED: added, EventAction.CONTRADICTED: list(contradicted)}
    return [
        DomainEvent(action=action, study=study, cause=cause, detail={"fields": names})
        for action, names in changes.items()
        if names
    ]


def contradictions(study: Study, header: Header, *, is_copy: bool) -> tuple[str, ...]:
    """Name what a header says otherwise of patient and order than the study does."""
    differing = tuple(
        name
        for name in (("patient_sex", "accession_number") if is_copy else ())
        if None not in (getattr(study, name), getattr(header, name))
        and getattr(study, name) != getattr(header, name)
    )
    return differences(patient_of(study), patient_of(header)) + differing


def note_made_uid(study: Study, invalid: str | None = None) -> None:
    """Note that a study's UID was made here. invalid: what stands in its files instead."""
    study.study_instance_uid_made_here = True
    study.invalid_study_instance_uid = study.invalid_study_instance_uid or invalid


def raise_to_stat(study: Study, cause: Cause) -> list[DomainEvent]:
    """Put a study before all routine ones; one that is there already stays as it is."""
    if study.urgency == Urgency.STAT:
        return []
    study.urgency = Urgency.STAT
    raised = DomainEvent(action=EventAction.RAISED_TO_STAT, study=study, cause=cause)
    # Whoever orders it as STAT wants it to be read, however old it is.
    return [raised, *no_prior(study, cause)]


def may_be_prior(study: Study) -> bool:
    """Tell whether the rule of priors decides: a person's word on the study goes before it."""
    return study.read_at is None and not study.stat and not study.never_prior


def make_prior(study: Study, reason: PriorReason, at: datetime, cause: Cause) -> list[DomainEvent]:
    """Take a study out of unread work: it came in to be compared with another one."""
    if study.prior_since is not None:
        return []
    study.prior_since = at
    detail = {"reason": reason.value}
    return [DomainEvent(action=EventAction.PRIOR, study=study, cause=cause, detail=detail)]


def no_prior(study: Study, cause: Cause) -> list[DomainEvent]:
    """Let a study be unread work, as any other."""
    if study.prior_since is None:
        return []
    study.prior_since = None
    return [DomainEvent(action=EventAction.NO_PRIOR, study=study, cause=cause)]


def reopen(image: Image, cause: Cause) -> list[DomainEvent]:
    """Make a study unread again by an image that its reader cannot have seen."""
    if image.study.read_at is None:
        return []
    image.study.read_at = None
    image.study.reported_at = image.study.reported_by = None
    return [image_event(EventAction.UNREAD, image, cause)]


def mark_read(study: Study, at: datetime | None, cause: Cause) -> list[DomainEvent]:
    """Let a study be read since then, or be unread (None).

    A reader who makes a study unread wants it to be read. A prior stays a prior.
    """
    was_read = study.read_at is not None
    study.read_at = at
    if at is None:
        study.reported_at = study.reported_by = None
    if at is None and cause is Cause.READER and study.prior_since is None:
        study.never_prior = True
    if was_read == (at is not None):
        return []
    action = EventAction.UNREAD if at is None else EventAction.READ
    return [DomainEvent(action=action, study=study, cause=cause)]


def mark_reported(
    study: Study, at: datetime, by: str | None, status: ReportStatus
) -> list[DomainEvent]:
    """Let a study be read elsewhere since then, as a report says. A verdict that stands counts on.

    at: no time before the study came in, so that nobody has read it before.
    """
    at = max(at, study.received_at)
    if (study.reported_at, study.reported_by) == (at, by):
        return []
    is_elsewhere = study.read_at is None or study.read_at == study.reported_at
    study.reported_at, study.reported_by = at, by
    detail = {"status": status.value, "by": by}
    reported = DomainEvent(
        action=EventAction.REPORTED, study=study, cause=Cause.REPORT, detail=detail
    )
    return [reported, *(mark_read(study, at, Cause.REPORT) if is_elsewhere else [])]


def withdraw_report(study: Study) -> list[DomainEvent]:
    """Take back that a study was read elsewhere: without a verdict it is unread again."""
    if study.reported_at is None:
        return []
    was_elsewhere = study.read_at == study.reported_at
    study.reported_at = study.reported_by = None
    withdrawn = DomainEvent(action=EventAction.REPORT_WITHDRAWN, study=study, cause=Cause.REPORT)
    return [withdrawn, *(mark_read(study, None, Cause.REPORT) if was_elsewhere else [])]


def counting_threshold(score: Score, thresholds: ActiveThresholds) -> ActiveThreshold:
    """The threshold by which a score counts now: that of its ensemble for its population."""
    own = ActiveThreshold(score.threshold, score.threshold_version)
    return thresholds.of(score.ensemble_version, score.population) or own


def counting_scores(scores: Iterable[tuple[int, bool, Answer]]) -> dict[int, Answer]:
    """The score with which each image counts, by the image's row id.

    scores: in the order in which they were given, each behind its image, and behind true if it is
    by the active ensemble.
    """
    by_image: dict[int, Answer] = {}
    by_active: set[int] = set()
    for image_id, is_by_active, score in scores:
        if image_id not in by_active:
            by_image[image_id] = score
        if is_by_active:
            by_active.add(image_id)
    return by_image


def deciding_score(
    scores: Iterable[Score], active_version: str, thresholds: ActiveThresholds
) -> Score | None:
    """The score that a study ranks by: that of its most suspicious image. None without scores.

    scores: of all its images, in the order in which they were given. An image counts with its score
    by the active ensemble, or with its latest while it has none. One that reaches its
    threshold goes before any other, since each version has thresholds of its own; of two alike, the
    earlier one.
    """
    by_image = counting_scores(
        (score.image_id, score.ensemble_version == active_version, score) for score in scores
    )

    def suspicion(score: Score) -> tuple[bool, float, int]:
        is_flagged = score.probability >= counting_threshold(score, thresholds).value
        return is_flagged, score.probability, -score.id

    return max(by_image.values(), key=suspicion, default=None)


def rank(
    study: Study,
    score: Score | None,
    active_version: str,
    thresholds: ActiveThresholds,
    head_start: timedelta,
    cause: Cause,
) -> list[DomainEvent]:
    """Let a study stand where its deciding score puts it. None: where it came in."""
    was_flagged = study.flagged
    threshold = counting_threshold(score, thresholds) if score else None
    study.ranked_by, study.threshold_change = active_version, thresholds.change
    study.score_id = score.id if score else None
    study.probability = score.probability if score else None
    study.ensemble_version = score.ensemble_version if score else None
    study.population = score.population if score else None
    study.threshold = threshold.value if threshold else None
    study.threshold_version = threshold.version if threshold else None
    study.flagged = score.probability >= threshold.value if score and threshold else False
    study.reading_key = reading_key(study.received_at, flagged=study.flagged, max_wait=head_start)
    if study.flagged == was_flagged:
        return []
    study.flagged_by = cause.value if study.flagged else None
    action = EventAction.FLAGGED if study.flagged else EventAction.FLAG_WITHDRAWN
    detail: dict[str, Any] = {"ensemble": score.ensemble_version if score else None}
    if cause is Cause.THRESHOLD:
        detail |= {"threshold": study.threshold, "threshold_version": study.threshold_version}
    return [DomainEvent(action=action, study=study, cause=cause, score=score, detail=detail)]


def stand(study: Study, head_start: timedelta) -> None:
    """Let a study stand where its flag puts it, where the site's mode has changed."""
    study.reading_key = reading_key(study.received_at, flagged=study.flagged, max_wait=head_start)
