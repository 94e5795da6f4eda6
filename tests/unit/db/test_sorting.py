"""Every order of the worklist, a page at a time, forward and back."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event
from sqlalchemy.orm import Session

from db.session import Database
from db.tables import Arrival, Image, Study
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order, reading_page
from db.worklist.sorting import Order, Position, Sort, position_of
from readfirst.domain import FileKind, ImageState, Urgency
from readfirst.studies.priority import reading_key
from tests.support.studies import AS_STORED, MAX_WAIT, NOW, a_header, a_scored_image, an_image
from worklist.api.cursors import of_study, study_position

HOUR = timedelta(hours=1)
#: Few values, so that many studies tie.
a_study = st.fixed_dictionaries(
    {
        "received_at": st.integers(0, 2).map(lambda hours: NOW + hours * HOUR),
        "study_datetime": st.none() | st.integers(-2, 2).map(lambda n: NOW + n * 300_000 * HOUR),
        "probability": st.none() | st.sampled_from([0.0, 0.1, 0.30000000000000004, 1.0]),
        "patient_name": st.none() | st.sampled_from(["", "Álvarez", "Díaz^Lucía", "ÑU", "Zúñiga"]),
        "urgency": st.sampled_from([Urgency.STAT, Urgency.LIVE]),
    }
)
orders = st.builds(Order, st.sampled_from(Sort), st.booleans())


def fill(session: Session, studies: list[dict[str, object]]) -> None:
    """These studies and no others, of one image each."""
    for table in (Arrival, Image, Study):
        session.execute(delete(table))
    for number, values in enumerate(studies, 1):
        key = reading_key(values["received_at"], flagged=number % 3 == 0, max_wait=MAX_WAIT)  # type: ignore[arg-type]
        arrival = Arrival(
            claim_id=f"{number}",
            relative_path="a.dcm",
            sha256=f"{number}",
            size=1,
            arrived_at=NOW,
            outcome="received",
        )
        image = Image(
            sha256=f"{number}",
            kind=FileKind.DICOM,
            sop_instance_uid=f"2.{number}",
            state=ImageState.RECEIVED,
            urgency=Urgency.LIVE,
            received_at=NOW,
            arrivals=[arrival],
        )
        study = Study(study_instance_uid=f"1.{number}", reading_key=key, images=[image], **values)
        session.add(study)
    session.flush()


def forward(session: Session, order: Order, limit: int) -> Iterator[list[str]]:
    """The pages of an order, each by the cursor that the one before gave out."""
    cursor: Position | None = None
    while True:
        page = reading_page(session, limit=limit, order=order, after=cursor, display=AS_STORED)
        yield [study.study_instance_uid for study in page.studies]
        if page.end is None:
            return
        cursor = study_position(of_study(page.end), order)


def backward(session: Session, order: Order, limit: int, last: Position) -> Iterator[list[str]]:
    cursor: Position | None = last
    while cursor is not None:
        cursor = study_position(of_study(cursor), order)
        page = reading_page(session, limit=limit, order=order, before=cursor, display=AS_STORED)
        yield [study.study_instance_uid for study in page.studies]
        cursor = page.start


@given(studies=st.lists(a_study, max_size=12), order=orders, limit=st.integers(1, 5))
@hypothesis_settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_pages_of_any_order_hold_every_study_once(
    database: Database, studies: list[dict[str, object]], order: Order, limit: int
) -> None:
    with database.write() as session:
        fill(session, studies)
        whole = [
            row.study_instance_uid
            for row in reading_order(session, limit=50, order=order, display=AS_STORED)
        ]
        pages = list(forward(session, order, limit))
        assert [uid for page in pages for uid in page] == whole
        assert sorted(whole) == sorted(f"1.{number}" for number in range(1, len(studies) + 1))
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        if not whole:
            return
        last = session.query(Study).filter_by(study_instance_uid=whole[-1]).one()
        back = list(backward(session, order, limit, position_of(last, order)))
        assert [uid for page in reversed(back) for uid in page] == whole[:-1]


def uids(session: Session, sort: Sort, *, reverse: bool = False) -> list[str]:
    rows = reading_order(session, limit=50, order=Order(sort, reverse), display=AS_STORED)
    return [row.study_instance_uid for row in rows]


@pytest.fixture
def four(database: Database) -> Database:
    """Of 1 to 3 o'clock, and one that says nothing of itself."""
    with database.write() as session:
        for hour, name, probability in ((1, "Cruz", 0.2), (2, "Alba", 0.9), (3, "Bueno", 0.1)):
            header = a_header(patient_name=name, study_datetime=NOW - hour * HOUR)
            uid, at = f"1.{hour}", NOW + hour * HOUR
            a_scored_image(session, at, study=uid, header=header, probability=probability)
        an_image(session, NOW + 2.5 * HOUR, study="1.0")
    return database


def test_each_order_begins_as_people_expect(four: Database) -> None:
    with four.read() as session:
        assert uids(session, Sort.READING) == ["1.2", "1.1", "1.0", "1.3"]
        assert uids(session, Sort.ARRIVAL) == ["1.3", "1.0", "1.2", "1.1"]
        assert uids(session, Sort.WAITING) == ["1.1", "1.2", "1.0", "1.3"]
        assert uids(session, Sort.STUDY_TIME) == ["1.1", "1.2", "1.3", "1.0"]
        assert uids(session, Sort.PATIENT) == ["1.2", "1.3", "1.1", "1.0"]


def test_what_is_not_scored_never_stands_below_what_is(four: Database) -> None:
    with four.read() as session:
        assert uids(session, Sort.PROBABILITY) == ["1.0", "1.2", "1.1", "1.3"]
        assert uids(session, Sort.PROBABILITY, reverse=True) == ["1.0", "1.3", "1.1", "1.2"]


def test_a_cursor_names_no_patient_and_is_of_one_order_alone(four: Database) -> None:
    cursors = set()
    with four.read() as session:
        for sort, reverse in product(Sort, (False, True)):
            page = reading_page(session, limit=1, order=Order(sort, reverse), display=AS_STORED)
            assert page.end is not None
            cursors.add(of_study(page.end))
    assert len(cursors) == 2 * len(Sort)


def test_every_order_is_read_from_an_index(database: Database) -> None:
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    with database.read() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        for sort, reverse, unread in product(Sort, (False, True), (True, None)):
            order = Order(sort, reverse)
            cursor = Position(order, VALUES[sort], 7)
            which = WorklistFilter(unread=unread)
            reading_page(
                session, limit=50, which=which, order=order, after=cursor, display=AS_STORED
            )
        event.remove(connection, "before_cursor_execute", note)
        queries = [statement for statement in statements if "ORDER BY studies." in statement[0]]
        # Two segments where those without a value come behind.
        assert len(queries) == 2 * 2 * (len(Sort) + 2)
        for statement, values in queries:
            plan = explained(connection, statement, values)
            assert "ix_studies_" in plan, plan
            # SQLite: "USE TEMP B-TREE FOR ORDER BY"; PostgreSQL: "Sort" or "Incremental Sort".
            assert "B-TREE" not in plan, plan
            assert "Sort" not in plan, plan


VALUES: dict[Sort, tuple[Any, ...]] = {
    Sort.READING: (Urgency.LIVE, NOW),
    Sort.ARRIVAL: (NOW,),
    Sort.STUDY_TIME: (NOW,),
    Sort.PROBABILITY: (0.5,),
    Sort.WAITING: (NOW,),
    Sort.PATIENT: ("Cruz",),
}


def explained(connection: Connection, statement: str, values: Any) -> str:
    """Return the plan of a statement, as if there were much of everything."""
    if connection.dialect.name == "sqlite":
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    # So little is there that it would rather read and sort all of it.
    for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    return str(connection.exec_driver_sql(f"EXPLAIN {statement}", values).all())
