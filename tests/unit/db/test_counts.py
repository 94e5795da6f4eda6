"""Counts of a list: how many studies it has, and how many stand before one of them."""

from datetime import timedelta

import pytest

from db.session import Database
from db.worklist.counts import count_before, count_studies
from db.worklist.filters import EVERYTHING, WorklistFilter
from db.worklist.queries import reading_page
from db.worklist.sorting import Order, Sort
from tests.support.studies import AS_STORED, NOW, a_header, a_scored_image, an_image

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("reverse", [False, True])
def test_each_page_begins_behind_as_many_as_are_before_it(
    database: Database, sort: Sort, reverse: bool
) -> None:
    with database.write() as session:
        for number in range(3):
            header = a_header(patient_name=f"N{number}", study_datetime=NOW - number * HOUR)
            at, probability = NOW + number * HOUR, number / 4
            a_scored_image(session, at, probability=probability, study=f"1.{number}", header=header)
        for number in range(3):
            an_image(session, NOW - number * HOUR, study=f"2.{number}")
    order, before = Order(sort, reverse), 0
    with database.read() as session:
        assert count_studies(session, EVERYTHING) == 6
        position = None
        while True:
            page = reading_page(session, limit=2, display=AS_STORED, order=order, after=position)
            if page.start is not None:
                counted = count_before(session, page.start, which=EVERYTHING, order=order)
                assert counted == before
            before += len(page.studies)
            if (position := page.end) is None:
                break
    assert before == 6


def test_stat_is_a_filter(database: Database) -> None:
    with database.write() as session:
        an_image(session, study="1.1", header=a_header(stat=True))
        an_image(session, study="1.2")
    with database.read() as session:
        assert count_studies(session, WorklistFilter(stat=True)) == 1
        assert count_studies(session, WorklistFilter(stat=True, unread=False)) == 0
