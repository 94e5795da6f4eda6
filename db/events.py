"""What happened, and when: rows that are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.tables import Event, Image, Study


def note(session: Session, image: Image, action: str, at: datetime, **detail: Any) -> None:
    """Add an event of one image. detail: plain values, never a patient's data."""
    session.add(
        Event(study_id=image.study_id, image_id=image.id, at=at, action=action, detail=detail)
    )


def note_study(session: Session, study: Study, action: str, at: datetime, **detail: Any) -> None:
    """Add an event of a whole study. detail: as in `note`."""
    session.add(Event(study_id=study.id, image_id=None, at=at, action=action, detail=detail))
