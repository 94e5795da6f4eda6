"""Signs of life of parts, and the last film of each source, on both databases."""

from datetime import UTC, datetime, timedelta

from db.session import Database
from db.site.heartbeats import FORGOTTEN, SILENT, PartRecord, ProcessId, beat, end, parts
from db.site.last_films import LISTED, last_films
from readfirst.site.parts import Part
from tests.support.studies import a_header, an_image

NOW = datetime.now(UTC)
ONE, OTHER = ProcessId("here", 1), ProcessId("there", 1)


def note(database: Database, part: Part, process: ProcessId, at: datetime) -> None:
    with database.write() as session:
        beat(session, part, process, at, at)


def of_part(database: Database, part: Part, at: datetime = NOW) -> PartRecord:
    with database.read() as session:
        (record,) = [each for each in parts(session, at, [part]) if each.part is part]
    return record


def test_a_part_runs_while_one_of_its_processes_gives_signs_of_life(database: Database) -> None:
    assert not of_part(database, Part.SCORE).runs
    note(database, Part.SCORE, ONE, NOW - SILENT)
    note(database, Part.SCORE, OTHER, NOW)
    note(database, Part.SCORE, OTHER, NOW)
    part = of_part(database, Part.SCORE)
    assert (part.runs, part.processes, part.hosts) == (True, 1, ("there",))
    assert part.last_at == NOW
    later = of_part(database, Part.SCORE, NOW + SILENT)
    assert (later.runs, later.processes, later.last_at) == (False, 0, NOW)


def test_a_process_that_ends_by_itself_leaves_nothing(database: Database) -> None:
    note(database, Part.CLOCK, ONE, NOW)
    note(database, Part.PAGE, ONE, NOW)
    with database.write() as session:
        end(session, Part.CLOCK, ONE)
    assert of_part(database, Part.CLOCK).last_at is None
    assert of_part(database, Part.PAGE).runs


def test_what_was_silent_for_long_is_forgotten(database: Database) -> None:
    note(database, Part.PAGE, ONE, NOW - FORGOTTEN - SILENT)
    assert of_part(database, Part.PAGE).last_at is None
    note(database, Part.PAGE, OTHER, NOW)
    assert of_part(database, Part.PAGE).last_at == NOW


def test_a_part_that_nobody_expects_is_listed_if_it_was_there(database: Database) -> None:
    note(database, Part.LISTENER, ONE, NOW)
    with database.read() as session:
        records = parts(session, NOW, [Part.PAGE])
    assert [(each.part, each.expected) for each in records] == [
        (Part.PAGE, True),
        (Part.LISTENER, False),
    ]


def test_sources_are_listed_with_their_last_film_longest_silence_first(database: Database) -> None:
    times = {"ROOM-1": timedelta(hours=1), "ROOM-2": timedelta(days=3), "OLD": LISTED}
    with database.write() as session:
        for number, (station, ago) in enumerate(times.items()):
            header = a_header(station_name=station)
            an_image(session, NOW - ago, study=f"1.{number}", header=header)
    with database.read() as session:
        rows = last_films(session, NOW)
    assert [row.source.split(" · ")[-1] for row in rows] == ["ROOM-2", "ROOM-1"]
    assert [(row.last_at, row.last_day) for row in rows] == [
        (NOW - timedelta(days=3), 0),
        (NOW - timedelta(hours=1), 1),
    ]
