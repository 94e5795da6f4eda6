"""The window of a poll: no study is missed, whatever the clock does between polls."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.pacs.matches import StudyQuery
from readfirst.pacs.window import LONGEST, window_queries, window_start

START = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
LOOK_BACK = timedelta(hours=2)
MADRID = ZoneInfo("Europe/Madrid")


def minutes(least: int, most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(least, most).map(lambda number: timedelta(minutes=number))


#: After the poll before: the time until this one, the error of the clock at it (behind or ahead),
#: whether the archive answers, and whether the process has started anew.
POLLS = st.lists(
    st.tuples(minutes(1, 3000), minutes(-6000, 6000), st.booleans(), st.booleans()),
    min_size=1,
    max_size=12,
)
#: When a study comes into the archive after the start, and how much earlier its Study Time is.
STUDIES = st.lists(st.tuples(minutes(0, 9000), minutes(-600, 120)), min_size=1, max_size=10)


def asked_for(queries: list[StudyQuery], taken_at: datetime) -> bool:
    """Tell whether a study of this time answers one of the queries, at a site in Madrid."""
    day = taken_at.astimezone(MADRID).date()
    return any(
        query.from_date is not None
        and query.from_date <= day
        and (query.to_date is None or day <= query.to_date)
        for query in queries
    )


@given(POLLS, STUDIES)
def test_no_study_is_missed_by_a_clock_that_falls_behind(
    polls: list[tuple[timedelta, timedelta, bool, bool]],
    studies: list[tuple[timedelta, timedelta]],
) -> None:
    """However far behind, with polls that fail and processes that start anew."""
    behind = [(pause, -abs(error), answers, anew) for pause, error, answers, anew in polls]
    assert missed(behind, studies) == []


@given(POLLS, STUDIES)
def test_no_study_is_missed_by_a_clock_that_jumps_ahead_and_back(
    polls: list[tuple[timedelta, timedelta, bool, bool]],
    studies: list[tuple[timedelta, timedelta]],
) -> None:
    """As long as the process runs, and the clock is not ahead at two polls in a row."""
    mended = []
    was_ahead = True
    for pause, error, answers, _ in polls:
        ahead = timedelta() if was_ahead or not answers else max(error, timedelta())
        mended.append((pause, ahead, answers, False))
        # A poll that fails leaves no mark, so the one that counts is the last that succeeded.
        was_ahead = ahead > timedelta() if answers else was_ahead
    assert missed(mended, studies) == []


def missed(
    polls: list[tuple[timedelta, timedelta, bool, bool]],
    studies: list[tuple[timedelta, timedelta]],
) -> list[datetime]:
    """The times of the studies that no poll asked for, though one succeeded after they came in."""
    now, polled_at = START, START
    passed: timedelta | None = timedelta()
    open_studies = [(START + after, START + after - delay) for after, delay in studies]
    gone: list[datetime] = []
    for pause, error, answers, anew in polls:
        now += pause
        passed = None if anew or passed is None else passed + pause
        if not answers:
            continue
        clock = now + error
        # What an archive that was silent for too long needs a person for is another matter.
        start = window_start(clock, polled_at, passed, LOOK_BACK)
        gone += [taken for came, taken in open_studies if came <= now and taken < start]
        open_studies = [each for each in open_studies if each[0] > now]
        polled_at, passed = clock, timedelta()
    return gone


@given(minutes(-90000, 9000), minutes(0, 90000))
def test_all_from_the_start_of_a_window_is_asked_for(before: timedelta, after: timedelta) -> None:
    """Where the start is in the past, and where it is in the future, as by a clock gone back."""
    start = START + before
    assert asked_for(list(window_queries(start, START, MADRID)), start + after)


def test_the_first_window_looks_back_from_now() -> None:
    assert window_start(START, None, None, LOOK_BACK) == START - LOOK_BACK


@pytest.mark.parametrize(
    ("now", "elapsed", "start"),
    [
        (START + timedelta(minutes=1), None, START),
        (START - timedelta(hours=5), None, START - timedelta(hours=5)),
        (START + timedelta(minutes=1), timedelta(hours=3), START - timedelta(hours=2, minutes=59)),
        (datetime(1970, 1, 1, tzinfo=UTC), None, START - LONGEST),
    ],
)
def test_a_window_begins_where_the_last_one_did_or_earlier(
    now: datetime, elapsed: timedelta | None, start: datetime
) -> None:
    assert window_start(now, START, elapsed, LOOK_BACK) == start - LOOK_BACK


def test_days_that_are_over_are_asked_for_one_by_one_and_today_has_no_end() -> None:
    queries = list(window_queries(START - timedelta(days=2), START, UTC))
    assert queries == [
        StudyQuery(from_date=date(2026, 11, 1), to_date=date(2026, 11, 1)),
        StudyQuery(from_date=date(2026, 11, 2), to_date=date(2026, 11, 2)),
        StudyQuery(from_date=date(2026, 11, 3)),
    ]


def test_the_days_are_those_of_the_site() -> None:
    late = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    assert list(window_queries(late, late, MADRID)) == [StudyQuery(from_date=date(2026, 11, 4))]
