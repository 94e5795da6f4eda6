"""A database with rows in it comes to the newest schema, and loses nothing."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from db.filters import WorklistFilter
from db.migrate import MIGRATIONS, is_current, upgrade
from db.session import Database, open_database
from db.worklist import reading_order

STUDY = (
    "INSERT INTO studies (study_instance_uid, received_at, urgency, flagged, reading_key, "
    "study_datetime, accession_number) VALUES "
    "('{uid}', '2026-03-01 08:00:00', 1, false, '2026-03-01 08:00:00', '2026-03-01 07:30:00', 'A1')"
)
IMAGE = (
    "INSERT INTO images (study_id, sha256, sop_instance_uid, state, code, reason, urgency, "
    "received_at, attempts) VALUES ((SELECT id FROM studies WHERE study_instance_uid = '{uid}'), "
    "'{sha256}', '{sha256}', '{state}', {code}, {code}, 1, '2026-03-01 09:00:00', 0)"
)
ARRIVAL = (
    "INSERT INTO arrivals (claim_id, image_id, relative_path, sha256, size, arrived_at, outcome) "
    "VALUES ('{sha256}', (SELECT id FROM images WHERE sha256 = '{sha256}'), 'film', '{sha256}', 1, "
    "'2026-03-01 09:00:00', 'received')"
)


def test_rows_from_before_the_scope_are_marked_as_not_checked(database_url: str) -> None:
    database = at_revision(database_url, "0004")
    with database.write() as session:
        for uid, state, code in (("1.1", "scored", "NULL"), ("1.2", "refused", "'truncated'")):
            values = {"uid": uid, "sha256": uid.ljust(32, "0"), "state": state, "code": code}
            for statement in (STUDY, IMAGE, ARRIVAL):
                session.execute(text(statement.format(**values)))
    upgrade(database)
    assert is_current(database)
    with database.read() as session:
        scored, refused = reading_order(session, limit=9)
        assert len(reading_order(session, limit=9, which=WorklistFilter(text="a1"))) == 2
    assert [mark.code for mark in scored.marks] == ["scope_not_checked"]
    assert refused.images[0].marks == ()
    assert scored.last_received_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert scored.study_datetime is not None
    assert scored.study_datetime.isoformat() == "2026-03-01T07:30:00+00:00"
    assert scored.warnings[0].others == ("1.2",)
    database.dispose()


def at_revision(url: str, revision: str) -> Database:
    database = open_database(url)
    config = Config()
    config.set_main_option("script_location", str(Path(MIGRATIONS)))
    with database.engine.execution_options(readfirst_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database
