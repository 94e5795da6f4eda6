"""The outlook of the active ensemble: what is left to score again, and when it will be through."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from db.ensembles.rescoring_progress import left_to_score
from db.ensembles.versions import active_ensemble
from db.nights.records import NightRecord, latest_of, measured_rate, nights
from readfirst.nights.forecast import Forecast, forecast
from readfirst.nights.window import NightPlan
from readfirst.nights.words import outlook_text

#: Earlier nights are not looked at for a rate.
NIGHTS_LOOKED_AT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """left: images that the active ensemble has still to score again.

    films_an_hour: the rate of its last night, or that of another ensemble's while it has none;
    null before the first night. through: null where no rate is known. running: the night that runs
    now, if any.
    """

    ensemble: str
    left: int
    films_an_hour: float | None
    through: Forecast | None
    running: NightRecord | None


def outlook(session: Session, plan: NightPlan, now: datetime) -> Outlook | None:
    """The outlook now; None before the first film."""
    active = active_ensemble(session)
    if active is None:
        return None
    rows = nights(session, NIGHTS_LOOKED_AT)
    running = next((row for row in rows if row.running), None)
    own = [row for row in rows if row.ensemble == active.version]
    last_own = latest_of(session, active.version)
    rate = measured_rate([*own, *([last_own] if last_own else []), *rows])
    # As counted at the end of its last night: what came in since, it has scored itself.
    left = rows[0].left if own and rows[0] is own[0] else left_to_score(session, active)
    through = forecast(
        left,
        rate,
        plan,
        now,
        running=running is not None,
        runs_until=running.ends_by if running else None,
    )
    return Outlook(
        ensemble=active.version,
        left=left,
        films_an_hour=rate,
        through=through,
        running=running,
    )


def outlook_sentence(now: Outlook | None, zone: ZoneInfo) -> str | None:
    """Say when the active ensemble will be through; None before the first film."""
    if now is None:
        return None
    return outlook_text(
        now.ensemble,
        now.left,
        now.films_an_hour,
        now.through,
        zone,
        running=now.running is not None,
    )
