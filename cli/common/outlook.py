"""The outlook of the active ensemble as one sentence."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from db.ensembles.outlook import outlook
from readfirst.nights.config import night_plan
from readfirst.nights.words import outlook_text
from readfirst.settings import Settings


def outlook_sentence(session: Session, settings: Settings) -> str | None:
    """Say when the active ensemble will be through; None before the first film."""
    now = outlook(session, night_plan(settings), datetime.now(UTC))
    if now is None:
        return None
    return outlook_text(
        now.ensemble,
        now.left,
        now.films_an_hour,
        now.through,
        settings.zone,
        running=now.running is not None,
    )
