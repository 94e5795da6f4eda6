"""The outlook of the active ensemble as one sentence."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from db.ensembles.outlook import outlook, outlook_sentence
from readfirst.nights.config import night_plan
from readfirst.settings import Settings


def outlook_now(session: Session, settings: Settings) -> str | None:
    """Say when the active ensemble will be through; None before the first film."""
    now = outlook(session, night_plan(settings), datetime.now(UTC))
    return outlook_sentence(now, settings.zone)
