"""The steps of an image: from which state each may be taken, and what it changes on the row.

Every step returns the domain event that it is. A step that the state does not allow is a fault of
the program and raises InvalidStep.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.lifecycle.events import Cause, DomainEvent, EventAction, image_event
from db.lifecycle.lease import let_go, release
from db.tables import Image, Score
from readfirst.domain import AgeAndView, Exposure, Header, ImageState, Urgency
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.ages import KnownAge, certain_age
from readfirst.studies.marks import Mark

#: The states in which work is still to be done.
WAITING = (ImageState.RECEIVED, ImageState.READY)
#: What an image takes from its header as it is: by what, and how, it was acquired.
ACQUISITION = (
    "manufacturer",
    "manufacturer_model_name",
    "station_name",
    "exposure",
    "exposure_index",
    "deviation_index",
)


#: What a copy may add to it besides.
DESCRIPTION = (
    "modality",
    "view_position",
    "body_part_examined",
    "acquisition_datetime",
    *ACQUISITION,
)


class ImageStep(StrEnum):
    """A change of an image's state."""

    REFUSE = "refuse"
    REPLACE = "replace"
    PREPARED = "prepared"
    SCORED = "scored"
    PREPARE_AGAIN = "prepare_again"
    RETRY = "retry"
    RESCORE = "rescore"
    RESCORE_UNPREPARED = "rescore_unprepared"


#: Where each step leads, by the state that it begins in. What is not here must not happen.
STEPS: dict[ImageStep, dict[ImageState, ImageState]] = {
    ImageStep.REFUSE: {
        ImageState.RECEIVED: ImageState.REFUSED,
        ImageState.READY: ImageState.REFUSED,
        # Tried again, and refused again.
        ImageState.REFUSED: ImageState.REFUSED,
    },
    ImageStep.REPLACE: {
        ImageState.RECEIVED: ImageState.REFUSED,
        ImageState.READY: ImageState.REFUSED,
        ImageState.SCORED: ImageState.REFUSED,
    },
    ImageStep.PREPARED: {ImageState.RECEIVED: ImageState.READY},
    ImageStep.SCORED: {ImageState.READY: ImageState.SCORED},
    ImageStep.PREPARE_AGAIN: {ImageState.READY: ImageState.RECEIVED},
    ImageStep.RETRY: {ImageState.REFUSED: ImageState.RECEIVED},
    ImageStep.RESCORE: {ImageState.SCORED: ImageState.READY},
    ImageStep.RESCORE_UNPREPARED: {ImageState.SCORED: ImageState.RECEIVED},
}


class InvalidStep(RuntimeError):
    """A step was taken from a state that does not allow it."""


def _take(image: Image, step: ImageStep) -> None:
    after = STEPS[step].get(image.state)
    if after is None:
        raise InvalidStep(f"{step} of an image that is {image.state}")
    image.state = after


def work_cause(image: Image) -> Cause:
    """The cause of what workers do to an image: it is scored for the first time, or once more."""
    return Cause.LIVE if image.scored_at is None else Cause.RESCORE


def receive(
    image: Image, cause: Cause, marks: tuple[Mark, ...], *, stat: bool = False
) -> list[DomainEvent]:
    """The image is accepted, in its study. marks: why its score will not be validated.

    stat: its study comes in with it, as STAT.
    """
    image.marks = marks
    detail: dict[str, Any] = {"stat": True} if stat else {}
    return [
        image_event(EventAction.RECEIVED, image, cause, **detail),
        *_marked(image, marks, cause),
    ]


def add_marks(image: Image, marks: tuple[Mark, ...]) -> list[DomainEvent]:
    """Mark the image by what decoding found; what the same decoding found before says it anew."""
    codes = {mark.code for mark in marks}
    known = {mark.code for mark in image.marks}
    image.marks = (*(mark for mark in image.marks if mark.code not in codes), *marks)
    new = tuple(mark for mark in marks if mark.code not in known)
    return _marked(image, new, work_cause(image))


def _marked(image: Image, marks: tuple[Mark, ...], cause: Cause) -> list[DomainEvent]:
    codes = [mark.code.value for mark in marks]
    return [image_event(EventAction.MARKED, image, cause, codes=codes)] if marks else []


def mark_prepared(
    image: Image, preprocessing_version: str, at: datetime, exposure: Exposure | None
) -> DomainEvent:
    """The model input is kept. exposure: as measured on it."""
    _take(image, ImageStep.PREPARED)
    image.ready_at, image.preprocessing_version = at, preprocessing_version
    if exposure is not None:
        image.median_grey, image.clipped_share = exposure.median_grey, exposure.clipped_share
    image.last_error = None
    release(image)
    return image_event(EventAction.READY, image, work_cause(image))


def prepare_again(image: Image) -> DomainEvent:
    """The model input is gone, and is to be made from the original once more."""
    _take(image, ImageStep.PREPARE_AGAIN)
    release(image)
    return image_event(EventAction.PREPARE_AGAIN, image, work_cause(image))


def scored(image: Image, score: Score, at: datetime) -> DomainEvent:
    """An ensemble has answered for the first time."""
    detail = {"ensemble": score.ensemble_version, "probability": score.probability}
    return _scored(image, EventAction.SCORED, score, at, detail)


def scored_again(
    image: Image, score: Score, now: float, at: datetime, *, same: bool
) -> DomainEvent:
    """An ensemble has answered once more, which adds no score. score: of its first answer.

    now: the probability of this answer. same: it differs by no more than arithmetic.
    """
    action = EventAction.SCORE_CONFIRMED if same else EventAction.SCORE_NOT_REPRODUCED
    detail = {"ensemble": score.ensemble_version, "now": now}
    return _scored(image, action, score, at, detail)


def _scored(
    image: Image, action: EventAction, score: Score, at: datetime, detail: dict[str, Any]
) -> DomainEvent:
    cause = work_cause(image)
    _take(image, ImageStep.SCORED)
    image.scored_at = at
    image.last_error = None
    release(image)
    return image_event(action, image, cause, score=score, **detail)


def refuse(
    image: Image, refusal: Refused, at: datetime, cause: Cause, *, code_before: str | None = None
) -> DomainEvent:
    """The image is never to be scored, until a person has it tried again.

    code_before: the code with which it was tried again; the same once more is said as such.
    """
    _take(image, ImageStep.REFUSE)
    image.code, image.reason, image.refused_at = refusal.code, refusal.reason, at
    let_go(image)
    detail: dict[str, Any] = {"code": refusal.code.value}
    if code_before == refusal.code:
        detail["again"] = True
    return image_event(EventAction.REFUSED, image, cause, **detail)


def replace(image: Image, whole: str, at: datetime, cause: Cause) -> DomainEvent:
    """The image was a beginning of a film, which has come in whole. whole: its digest (sha256)."""
    refusal = Refused(RefusalCode.REPLACED_BY_WHOLE)
    _take(image, ImageStep.REPLACE)
    image.code, image.reason, image.refused_at = refusal.code, refusal.reason, at
    let_go(image)
    return image_event(EventAction.REPLACED, image, cause, sha256=whole)


def mark_anew(image: Image, marks: tuple[Mark, ...], cause: Cause) -> list[DomainEvent]:
    """Let an image have other marks, as more is known of it now."""
    if image.marks == marks:
        return []
    image.marks = marks
    codes = [mark.code.value for mark in marks]
    return [image_event(EventAction.MARKED, image, cause, codes=codes)]


def fill_in(image: Image, header: Header) -> None:
    """Fill in what the image's own header left empty, by that of a copy."""
    for name in DESCRIPTION:
        if getattr(image, name) is None:
            setattr(image, name, getattr(header, name))


def retry(image: Image) -> None:
    """Put a refused image back to work, as if it had just come in."""
    _take(image, ImageStep.RETRY)
    image.urgency = image.study.urgency
    image.code = image.reason = image.refused_at = None
    image.last_error = None
    image.original_removed_at = None
    release(image)


def age_and_view(image: Image) -> AgeAndView:
    """The age of the patient and the view of a film, by all that is known of its study now."""
    study = image.study
    known = KnownAge(
        patient_age=study.patient_age,
        patient_birth_date=study.patient_birth_date,
        study_datetime=study.study_datetime,
        acquisition_datetime=image.acquisition_datetime,
    )
    return AgeAndView(certain_age(known), image.view_position)


def rescore(image: Image, preprocessing_version: str, ensemble_version: str) -> DomainEvent:
    """Let another ensemble score the image, behind all films that come in."""
    is_prepared = image.preprocessing_version == preprocessing_version
    _take(image, ImageStep.RESCORE if is_prepared else ImageStep.RESCORE_UNPREPARED)
    image.urgency = Urgency.RESCORE
    return image_event(EventAction.RESCORE, image, Cause.RESCORE, ensemble=ensemble_version)


def raise_waiting(images: Sequence[Image]) -> None:
    """Put images that wait for work before all routine ones."""
    for image in images:
        image.urgency = Urgency.STAT


def describe(image: Image, header: Header) -> None:
    """Let an image's row say what its header says."""
    image.kind = header.kind
    image.rows, image.columns = header.rows, header.columns
    image.transfer_syntax_uid = header.transfer_syntax_uid
    image.modality = header.modality
    image.view_position = header.view_position
    image.body_part_examined = header.body_part_examined
    image.acquisition_datetime = header.acquisition_datetime
    for name in ACQUISITION:
        setattr(image, name, getattr(header, name))
