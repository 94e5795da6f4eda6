"""How a study looks on the page: texts and shapes, made from its row. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from db.views import StudyView
from readfirst.domain import ImageState
from readfirst.priority import Standing
from readfirst.words import age_at, readable_age, readable_name, short_duration

LABELS = {
    Standing.STAT: "STAT",
    Standing.FLAGGED: "Pneumonia likely",
    Standing.WAITING: "Routine",
    Standing.NOT_SCORED: "Not scored",
}

#: Where a score says nothing, it is not shown as that of a routine film.
NOT_VALIDATED = "Not validated"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One study on the page."""

    place: int
    study_instance_uid: str
    label: str
    standing: Standing
    flagged: bool
    why: str
    patient: str
    patient_facts: str
    study_time: str
    received: str
    waiting: str
    #: In per cent; None for a study without a score, which is never shown as low.
    probability: float | None
    threshold: float | None
    thumbnails: tuple[str, ...]
    image_count: int
    pending: bool
    #: Its score is not validated: it may flag the study, and never speaks against it.
    marked: bool
    complete: bool
    #: The sentences of what is odd about it.
    warnings: tuple[str, ...]


def page_rows(studies: Sequence[StudyView], now: datetime, zone: ZoneInfo) -> list[PageRow]:
    """The rows of the page, numbered from the most urgent."""
    return [_page_row(place, study, now, zone) for place, study in enumerate(studies, 1)]


def _page_row(place: int, study: StudyView, now: datetime, zone: ZoneInfo) -> PageRow:
    waiting_states = (ImageState.RECEIVED, ImageState.READY)
    prepared = [image.sha256 for image in study.images if image.ready_at is not None]
    return PageRow(
        place=place,
        study_instance_uid=study.study_instance_uid,
        label=_label(study),
        standing=study.standing,
        flagged=study.flagged,
        why=study.why,
        patient=_patient(study),
        patient_facts=_patient_facts(study, zone),
        study_time=_minute(study.study_datetime and study.study_datetime.astimezone(zone)),
        received=_minute(study.received_at.astimezone(zone)),
        waiting=short_duration(now - study.received_at),
        probability=_percent(study.probability),
        threshold=_percent(study.threshold),
        thumbnails=tuple(prepared[:2]),
        image_count=len(study.images),
        pending=any(image.state in waiting_states for image in study.images),
        marked=bool(study.marks) and study.probability is not None,
        complete=study.complete,
        warnings=tuple(warning.reason for warning in study.warnings),
    )


def _label(study: StudyView) -> str:
    if study.standing is Standing.WAITING and study.marks:
        return NOT_VALIDATED
    return LABELS[study.standing]


def _patient(study: StudyView) -> str:
    if study.patient_name:
        return readable_name(study.patient_name)
    return study.images[0].file_name.rsplit("/", 1)[-1]


def _patient_facts(study: StudyView, zone: ZoneInfo) -> str:
    at = study.study_datetime and study.study_datetime.astimezone(zone)
    age = study.patient_age or age_at(study.patient_birth_date, at)
    facts = (age and readable_age(age), study.patient_sex, study.patient_id, study.accession_number)
    return " · ".join(fact for fact in facts if fact)


def _minute(at: datetime | None) -> str:
    return at.strftime("%d %b %H:%M") if at else ""


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 3)
