"""The counts of the night that runs, written with what they count, so that a kill repeats none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.nights.running import running_night
from db.tables import Night, RescoredStudy


@dataclass(frozen=True, slots=True)
class RankingScore:
    """The score that a study ranks by: its ensemble, probability and flag."""

    version: str | None
    probability: float | None
    flagged: bool


@dataclass(frozen=True, slots=True)
class Rescored:
    """A study that ranks anew by another scoring. was_read: somebody has read it."""

    before: RankingScore
    after: RankingScore
    was_read: bool


def count_rescored(
    session: Session,
    studies: Mapping[int, Rescored],
    *,
    scored: int,
    failed: int,
    at: datetime,
) -> None:
    """Add to the night that runs; nothing where none does.

    studies: by their numbers; their rows are locked. scored, failed: images.
    """
    if not (studies or scored or failed):
        return
    night = running_night(session)
    if night is None:
        return
    flagged, withdrawn = _note(session, night.id, studies)
    session.execute(
        update(Night)
        .where(Night.id == night.id)
        .values(
            scored=Night.scored + scored,
            failed=Night.failed + failed,
            flagged=Night.flagged + flagged,
            withdrawn=Night.withdrawn + withdrawn,
            moved_at=at,
        )
        .execution_options(synchronize_session=False)
    )


def _note(session: Session, night_id: int, studies: Mapping[int, Rescored]) -> tuple[int, int]:
    """Keep what each study was before the night, and is now. Returns the changes of two counts."""
    query = select(RescoredStudy).where(
        RescoredStudy.night_id == night_id, RescoredStudy.study_id.in_(studies)
    )
    rows = {row.study_id: row for row in session.scalars(query)}
    flagged = withdrawn = 0
    for study_id, change in studies.items():
        row = rows.get(study_id)
        earlier = row.flag_change if row else 0
        if row is None:
            row = RescoredStudy(
                night_id=night_id,
                study_id=study_id,
                version_before=change.before.version,
                probability_before=change.before.probability,
                flagged_before=change.before.flagged,
            )
            session.add(row)
        row.version_after = change.after.version
        row.probability_after = change.after.probability
        row.flagged_after = change.after.flagged
        row.was_read = change.was_read
        flagged += (row.flag_change == 1) - (earlier == 1)
        withdrawn += (row.flag_change == -1) - (earlier == -1)
    session.flush()
    return flagged, withdrawn
