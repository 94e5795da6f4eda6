"""Who has a study open: the first reads it, and the claim passes on when the page is left."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from db.session import Database, open_database
from db.tables import OpenStudy
from db.worklist.next_unread import NextReason, next_unread
from db.worklist.readers import (
    LIFETIME,
    MOST_PAGES,
    OpenPage,
    StudyReader,
    note_left,
    note_open,
    read_by_others,
    readers_by_study,
)
from tests.support.studies import a_scored_image

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def worklist(database: Database) -> Database:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.99, study="1.1")
        a_scored_image(session, NOW, probability=0.1, study="1.2")
    return database


def page(account: str | None, tab: str, study: str = "1.1") -> OpenPage:
    return OpenPage(study_instance_uid=study, tab=tab, account=account)


def opened(database: Database, *pages: OpenPage, at: datetime = NOW) -> None:
    for number, each in enumerate(pages):
        with database.write() as session:
            assert note_open(session, each, at + number * SECOND)


def left(database: Database, *pages: OpenPage, at: datetime = NOW) -> None:
    for each in pages:
        with database.write() as session:
            assert note_left(session, each, at)


def readers(database: Database, at: datetime = NOW, study: str = "1.1") -> list[str | None]:
    with database.read() as session:
        return [reader.by for reader in readers_by_study(session, at).get(study, ())]


def test_the_first_reads_and_the_claim_passes_on_when_the_page_is_left(worklist: Database) -> None:
    lea, adam = page("lea", "a"), page("adam", "b")
    opened(worklist, lea, adam)
    assert readers(worklist) == ["lea", "adam"]
    with worklist.read() as session:
        (first, _) = readers_by_study(session, NOW)["1.1"]
    assert first == StudyReader(by="lea", since=NOW)
    left(worklist, lea)
    assert readers(worklist) == ["adam"]
    # A sign of life that was on its way as the page was left.
    opened(worklist, lea)
    assert readers(worklist) == ["adam"]


def test_a_sign_of_life_that_comes_behind_the_leaving_opens_nothing(worklist: Database) -> None:
    lea = page("lea", "a")
    left(worklist, lea)
    opened(worklist, lea)
    assert readers(worklist) == []


def test_a_page_without_a_sign_of_life_is_taken_for_closed_and_its_row_goes(
    worklist: Database,
) -> None:
    lea, adam = page("lea", "a"), page("adam", "b")
    opened(worklist, lea)
    opened(worklist, adam, at=NOW + LIFETIME - SECOND)
    assert readers(worklist, NOW + LIFETIME - SECOND) == ["lea", "adam"]
    assert readers(worklist, NOW + LIFETIME) == ["adam"]
    opened(worklist, adam, at=NOW + LIFETIME)
    with worklist.read() as session:
        assert session.scalar(select(func.count(OpenStudy.id))) == 1
    # It was asleep, and stands behind whoever came since.
    opened(worklist, lea, at=NOW + LIFETIME + SECOND)
    assert readers(worklist, NOW + LIFETIME + SECOND) == ["adam", "lea"]


def test_a_clock_that_is_set_back_leaves_no_reader_for_ever(worklist: Database) -> None:
    opened(worklist, page("lea", "a"), at=NOW + timedelta(days=1))
    assert readers(worklist) == []
    opened(worklist, page("adam", "b"))
    with worklist.read() as session:
        assert session.scalars(select(OpenStudy.account)).all() == ["adam"]


def test_an_account_with_two_windows_counts_once_and_nobody_ends_anothers_page(
    worklist: Database,
) -> None:
    opened(worklist, page("lea", "a"), page("lea", "b"), page("adam", "c"))
    assert readers(worklist) == ["lea", "adam"]
    left(worklist, page("adam", "a"))
    left(worklist, page("lea", "a"))
    # The earlier one of her windows was closed: the other one was opened before his.
    assert readers(worklist) == ["lea", "adam"]


def test_a_study_that_is_not_there_is_told(worklist: Database) -> None:
    with worklist.write() as session:
        assert not note_open(session, page("lea", "a", study="9.9"), NOW)
        assert not note_left(session, page("lea", "a", study="9.9"), NOW)


def test_pages_of_one_account_are_bounded(worklist: Database) -> None:
    opened(worklist, *(page("lea", f"{number:x}") for number in range(3)))
    with worklist.write() as session:
        session.add_all(
            OpenStudy(tab=f"x{number}", study_id=1, account="lea", opened_at=NOW, seen_at=NOW)
            for number in range(MOST_PAGES - 3)
        )
    opened(worklist, page("lea", "last", study="1.2"), page("adam", "his", study="1.2"))
    assert readers(worklist, study="1.2") == ["adam"]


def test_next_skips_what_others_read_and_says_when_only_such_is_left(worklist: Database) -> None:
    def following(account: str | None, **way: Any) -> tuple[str, NextReason] | None:
        with worklist.read() as session:
            others = read_by_others(session, account, NOW)
            study = next_unread(session, others=others, **way)
        return (study.study_instance_uid, study.reason) if study else None

    assert following("adam") == ("1.1", NextReason.BEHIND)
    opened(worklist, page("lea", "a"), page("adam", "b"))
    assert following("adam") == ("1.2", NextReason.BEHIND)
    assert following("lea") == ("1.1", NextReason.BEHIND), "her own"
    assert following("adam", after="1.1", visited=["1.1", "1.2"]) == ("1.2", NextReason.AGAIN)
    assert following("adam", after="1.2") == ("1.1", NextReason.READ_BY_OTHERS)
    left(worklist, page("lea", "a"))
    assert following("adam") == ("1.1", NextReason.BEHIND), "the claim passed on"


def test_without_accounts_nothing_is_skipped(worklist: Database) -> None:
    opened(worklist, page(None, "a"))
    with worklist.read() as session:
        assert read_by_others(session, None, NOW) == []


def test_many_pages_at_once_are_all_noted(worklist: Database, database_url: str) -> None:
    """Also those whose signs of life find the same old rows to remove."""
    opened(worklist, *(page(f"old{number}", f"old{number}") for number in range(8)))
    later = NOW + 2 * LIFETIME
    faults: list[Exception] = []

    def sign(number: int) -> None:
        other = open_database(database_url)
        try:
            for round_ in range(4):
                opened(other, page(f"r{number}", f"{number}"), at=later + round_ * SECOND)
        except Exception as fault:  # whatever ends a thread is to fail the test
            faults.append(fault)
        finally:
            other.dispose()

    threads = [threading.Thread(target=sign, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(map(str, readers(worklist, later))) == [f"r{number}" for number in range(6)]
