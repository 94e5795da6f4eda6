from db.filters import WorklistFilter
from db.searching import SEARCHED, search_text
from db.session import Database
from db.worklist import reading_order
from tests.db.builders import a_header, an_image


def found(database: Database, text: str) -> list[str]:
    with database.read() as session:
        rows = reading_order(session, limit=9, which=WorklistFilter(text=text))
    return [row.study_instance_uid for row in rows]


def test_a_study_is_found_by_what_a_later_image_says_first(database: Database) -> None:
    with database.write() as session:
        an_image(session, study="1.1")
    assert found(database, "ÑANDÚ") == []
    with database.write() as session:
        an_image(session, study="1.1", header=a_header(patient_name="Ñandú^Eva"))
    assert found(database, "ÑANDÚ eva") == ["1.1"]


def test_names_as_long_as_films_may_say_are_kept_and_found(database: Database) -> None:
    """An index of PostgreSQL takes no row above 2,700 bytes."""
    long = "".join(chr(0x10400 + number % 40) for number in range(512))
    header = a_header(patient_name=long, patient_id=long, accession_number=long)
    with database.write() as session:
        an_image(session, study="1.1", header=header)
    assert found(database, long[:100]) == ["1.1"]


def test_what_is_missing_is_nothing_to_find() -> None:
    assert search_text({}) == "\n\n"
    assert search_text(dict.fromkeys(SEARCHED, "Ä^B")) == "ä^b\nä^b\nä^b"
