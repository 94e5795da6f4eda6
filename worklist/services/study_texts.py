"""The texts of a study that list and study page share. Pure."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from db.read_models import StudyRecord
from readfirst.formatting import age_at, readable_age, readable_name


def patient_name(study: StudyRecord) -> str:
    """The patient's name; for a picture, which says nothing, the name of its file."""
    if study.patient_name:
        return readable_name(study.patient_name)
    return study.images[0].file_name.rsplit("/", 1)[-1] if study.images else "No image"


def patient_age(study: StudyRecord, zone: ZoneInfo) -> str:
    """The age that the header states, or that at the study; empty where neither is known."""
    at = study.study_datetime and study.study_datetime.astimezone(zone)
    age = study.patient_age or age_at(study.patient_birth_date, at)
    return readable_age(age) if age else ""


def distinct(texts: Iterable[str | None]) -> list[str]:
    """Each text once, in its order."""
    return list(dict.fromkeys(filter(None, texts)))


def minute(at: datetime, zone: ZoneInfo) -> str:
    """A moment as `31 Jan 2026 09:05`, in the site's zone."""
    return at.astimezone(zone).strftime("%d %b %Y %H:%M")


def in_percent(share: float) -> float:
    """A share in per cent, for bars."""
    return round(100 * share, 2)
