"""The outlook of the active ensemble in words."""

from db.ensembles.outlook import Outlook
from readfirst.nights.words import outlook_text
from readfirst.settings import Settings


def outlook_sentence(now: Outlook | None, settings: Settings) -> str | None:
    """Say when the active ensemble will be through; None before the first film."""
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
