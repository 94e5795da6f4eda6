"""However often a study ranks anew in a night, the night counts what it was and what it is."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.nights.counting import RankingScore, Rescored, count_rescored
from db.nights.running import NewNight, begin_night, end_night
from db.tables import RescoredStudy
from tests.support.studies import NOW, a_scored_image, an_ensemble

STUDIES = 3
#: Batches of a night: for some studies, the flags that they have after each.
batches = st.lists(
    st.dictionaries(st.integers(0, STUDIES - 1), st.booleans(), min_size=1), max_size=8
)


def score(*, flagged: bool) -> RankingScore:
    return RankingScore("1", 0.9 if flagged else 0.1, flagged)


@pytest.fixture
def studies_by_flag(session: Session) -> dict[bool, list[int]]:
    """As many studies of each kind as an example may want: flagged or not, and their numbers."""
    an_ensemble(session, "1")
    return {
        flagged: [
            a_scored_image(session, NOW, probability=0.9 if flagged else 0.1).study.id
            for _ in range(STUDIES)
        ]
        for flagged in (True, False)
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.booleans(), min_size=STUDIES, max_size=STUDIES), batches)
def test_flags_that_come_and_go_in_one_night_are_counted_by_its_end(
    session: Session,
    studies_by_flag: dict[bool, list[int]],
    before: list[bool],
    night_batches: list[dict[int, bool]],
) -> None:
    with session.begin_nested() as kept:
        studies = [studies_by_flag[flagged][number] for number, flagged in enumerate(before)]
        new = NewNight(day=NOW.date(), planned=False, ensemble_version="1", left=STUDIES)
        night = begin_night(session, new, NOW)
        flags = list(before)
        for number, batch in enumerate(night_batches, 1):
            changes = {
                studies[study]: Rescored(
                    score(flagged=flags[study]), score(flagged=flagged), was_read=False
                )
                for study, flagged in batch.items()
            }
            at = NOW + timedelta(minutes=number)
            count_rescored(session, changes, scored=len(batch), failed=0, at=at)
            for study, flagged in batch.items():
                flags[study] = flagged
        session.refresh(night)
        pairs = list(zip(before, flags, strict=True))
        assert night.flagged == pairs.count((False, True))
        assert night.withdrawn == pairs.count((True, False))
        assert night.scored == sum(map(len, night_batches))
        for scored, was_flagged, flagged in zip(studies, before, flags, strict=True):
            row = session.get(RescoredStudy, (night.id, scored))
            if row is not None:
                assert (row.flagged_before, row.flagged_after) == (was_flagged, flagged)
        end_night(night, 0, NOW)
        session.flush()
        count_rescored(session, {}, scored=1, failed=1, at=NOW)
        session.refresh(night)
        assert night.scored == sum(map(len, night_batches)), "an ended night counts no more"
        kept.rollback()
        session.expunge_all()
