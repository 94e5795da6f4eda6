"""Databases that are filled once hold the same, and none sees what is done to another."""

from typing import Any

from sqlalchemy import select

from db.session import Database
from db.tables import Base
from tests.support.filled_databases import FilledOnce
from tests.support.studies import NOW, a_header, a_scored_image


def add_study(database: Database) -> str:
    """With every letter that a statement could take for its own."""
    header = a_header(patient_name='O\'Neill^%s;\\ "$1" :a 胸', patient_id="P-1")
    with database.write() as session:
        return a_scored_image(session, NOW, probability=0.9, study="1.2.3", header=header).sha256


#: Of the first database of a kind; the second one gets a copy.
_study = FilledOnce(add_study)
_first: dict[str, Any] = {}


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as session:
        tables = Base.metadata.sorted_tables
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in tables
        }


def check_filled_and_alone(database: Database) -> None:
    assert not any(everything(database).values())
    kind = database.engine.dialect.name
    digest = _study.into(database)
    rows = everything(database)
    first = _first.setdefault(kind, (digest, rows))
    assert (digest, rows) == first
    # Numbers go on behind those that are there.
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.2, study="1.2.4")
    assert len(everything(database)["images"]) == 2


def test_the_first_database_is_filled(database: Database) -> None:
    check_filled_and_alone(database)


def test_the_second_database_holds_the_same(database: Database) -> None:
    check_filled_and_alone(database)
