"""The unread study that comes next: on from where one is, and at the end from the top."""

from datetime import timedelta

import pytest

from db.access.audit import Actor
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.worklist.next_unread import NextReason, NextStudy, next_unread
from tests.support.studies import NOW, a_header, a_scored_image, give_verdict

HOUR = timedelta(hours=1)


@pytest.fixture
def five(database: Database) -> Database:
    """Five unread studies, 1.1 to 1.5 in reading order: two are flagged."""
    with database.write() as session:
        for number, probability in enumerate((0.9, 0.9, 0.1, 0.1, 0.1), start=1):
            at = NOW + number * HOUR
            a_scored_image(session, at, probability=probability, study=f"1.{number}")
    return database


def onward(database: Database, after: str | None = None, *visited: str) -> tuple[str, NextReason]:
    with database.read() as session:
        study = next_unread(session, after=after, visited=visited)
    assert study is not None
    return study.study_instance_uid, study.reason


def read(database: Database, *uids: str) -> None:
    with database.write() as session:
        for uid in uids:
            give_verdict(session, uid, VerdictInput(), Actor(None, None), NOW)


def test_reading_goes_on_from_where_one_is(five: Database) -> None:
    assert onward(five) == ("1.1", NextReason.BEHIND)
    assert onward(five, "1.1") == ("1.2", NextReason.BEHIND)
    assert onward(five, "1.3", "1.3") == ("1.4", NextReason.BEHIND)
    read(five, "1.4")
    assert onward(five, "1.3") == ("1.5", NextReason.BEHIND)
    assert onward(five, "1.4") == ("1.5", NextReason.BEHIND), "one that is read has its position"
    assert onward(five, "9.9") == ("1.1", NextReason.BEHIND), "one that is not here has none"


def test_studies_may_be_passed_over(five: Database) -> None:
    way, visited = "1.1", ["1.1"]
    for expected in ("1.2", "1.3", "1.4", "1.5"):
        way, reason = onward(five, way, *visited)
        assert (way, reason) == (expected, NextReason.BEHIND)
        visited.append(way)


def test_at_the_end_it_begins_again_with_what_was_not_visited(five: Database) -> None:
    assert onward(five, "1.5", "1.3", "1.4", "1.5") == ("1.1", NextReason.FROM_TOP)
    assert onward(five, "1.1", "1.3", "1.4", "1.5", "1.1") == ("1.2", NextReason.BEHIND)
    everything = ("1.1", "1.2", "1.3", "1.4", "1.5")
    assert onward(five, "1.2", *everything) == ("1.1", NextReason.AGAIN)
    assert onward(five, "1.1", *everything) == ("1.2", NextReason.AGAIN), "never where one is"


def test_a_stat_study_that_was_not_visited_comes_first(five: Database) -> None:
    with five.write() as session:
        header = a_header(stat=True)
        for uid in ("2.1", "2.2"):
            a_scored_image(session, NOW + 9 * HOUR, probability=0.1, study=uid, header=header)
    assert onward(five, "1.2") == ("2.1", NextReason.STAT)
    assert onward(five, "2.1") == ("2.2", NextReason.BEHIND)
    assert onward(five, "1.2", "2.1", "2.2") == ("1.3", NextReason.BEHIND)


def test_where_no_other_is_unread_nothing_comes(five: Database) -> None:
    read(five, "1.1", "1.2", "1.3", "1.4")
    with five.read() as session:
        assert next_unread(session, after="1.5", visited=("1.5",)) is None
        study = next_unread(session, after="1.1", visited=("1.5",))
    assert study == NextStudy(study_instance_uid="1.5", reason=NextReason.AGAIN)
