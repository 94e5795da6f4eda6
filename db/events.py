"""What happened, and when: rows that are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from db.tables import Event, Image


def note(session: Session, image: Image, action: str, at: datetime, **detail: Any) -> None:
    """Add an event of one image. detail: plain values, never a patient's data."""
    session.add(
        Event(study_id=image.study_id, image_id=image.id, at=at, action=action, detail=detail)
    )
