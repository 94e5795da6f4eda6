"""A database with rows in it comes to the newest schema, and loses nothing."""

import re
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from db.migrate import MIGRATIONS, is_current, upgrade
from db.monitoring.kept_days import MonitoringData, keep_days
from db.monitoring.totals import totals
from db.session import Database, open_database
from db.tables import Image, KeptDay, OutboxMessage, Study, Verdict
from db.work_faults import DelayedFilms, delayed_films
from db.worklist.filters import WorklistFilter
from db.worklist.queries import counts, reading_order
from readfirst.domain import uid_from_digest
from readfirst.errors import Misconfigured, Unavailable
from readfirst.monitoring.period import Period
from tests.support.studies import AS_STORED, an_image

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


def test_days_that_were_kept_before_are_made_anew(database_url: str) -> None:
    database = at_revision(database_url, "0048")
    with database.write() as session:
        session.execute(text(STUDY.format(uid="1.1")))
        session.execute(
            text(
                "INSERT INTO kept_days (zone, day, starts_at, ends_at, totals, content) VALUES ("
                "'UTC', '2026-03-01', '2026-03-01 00:00:00', '2026-03-02 00:00:00', '{}', '')"
            )
        )
    upgrade(database)
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with database.write() as session:
        assert session.scalars(select(KeptDay)).all() == []
        an_image(session, now - timedelta(days=1), study="1.1")
    assert keep_days(database, ZoneInfo("UTC"), now, most=9) == 1
    with database.read() as session:
        assert totals(session).counts == counts(session)
        day = Period(date(2026, 3, 1), date(2026, 3, 1), ZoneInfo("UTC"))
        assert len(MonitoringData(session).columns("films", day)) == 1
    database.dispose()


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
        scored, refused = reading_order(session, limit=9, display=AS_STORED)
        assert (
            len(reading_order(session, limit=9, which=WorklistFilter(text="a1"), display=AS_STORED))
            == 2
        )
    assert [mark.code for mark in scored.marks] == ["scope_not_checked"]
    assert refused.images[0].marks == ()
    assert scored.last_received_at.isoformat() == "2026-03-01T09:00:00+00:00"
    assert scored.study_datetime is not None
    assert scored.study_datetime.isoformat() == "2026-03-01T07:30:00+00:00"
    assert scored.warnings[0].others == ("1.2",)
    database.dispose()


ENSEMBLE = (
    "INSERT INTO ensembles (version, threshold, preprocessing_version, registered_at, active) "
    "VALUES ('{version}', {threshold}, '1', '2026-03-01 08:00:00', {active})"
)
SCORE = (
    "INSERT INTO scores (image_id, ensemble_version, probability, members, threshold, flagged, "
    "scored_at) VALUES ((SELECT id FROM images WHERE sha256 = '{sha256}'), '{version}', "
    "{probability}, '{{}}', {threshold}, {flagged}, '2026-03-01 09:00:00')"
)
EVENT = (
    "INSERT INTO events (study_id, image_id, at, action, detail) VALUES ((SELECT study_id FROM "
    "images WHERE sha256 = '{sha256}'), NULL, '2026-03-01 09:00:00', 'scored', '{{}}')"
)
VERDICT = (
    "INSERT INTO verdicts (study_id, at, finding, withdrawn, probability, threshold, flagged) "
    "VALUES ((SELECT study_id FROM images WHERE sha256 = '{sha256}'), '2026-03-01 10:00:00', "
    "'pneumonia', false, 0.9, 0.6, true)"
)
MESSAGE = (
    "INSERT INTO announcements (key, study_id, ensemble_version, probability, flagged_at, "
    "attempts, next_attempt_at) VALUES ('k', (SELECT study_id FROM images WHERE sha256 = "
    "'{sha256}'), '1', 0.9, '2026-03-01 09:00:00', 2, '2026-03-01 09:30:00')"
)


def test_studies_of_before_the_life_cycle_name_the_score_that_they_showed(
    database_url: str,
) -> None:
    """A plain study, and one that was shown as flagged with the score of another version."""
    database = at_revision(database_url, "0013")
    plain, mixed = "a".ljust(32, "0"), "b".ljust(32, "0")
    flag = "UPDATE studies SET probability = {}, ensemble_version = '1', flagged = true"
    with database.write() as session:
        for values in ({"version": "1", "threshold": 0.6}, {"version": "2", "threshold": 0.3}):
            session.execute(text(ENSEMBLE.format(**values, active=values["version"] == "2")))
        for uid, sha256, scores in (
            ("1.1", plain, [("1", 0.9, 0.6, True)]),
            ("1.2", mixed, [("1", 0.55, 0.6, False), ("2", 0.4, 0.3, True)]),
        ):
            study = {"uid": uid, "sha256": sha256, "state": "scored", "code": "NULL"}
            for statement in (STUDY, IMAGE, ARRIVAL, EVENT, VERDICT):
                session.execute(text(statement.format(**study)))
            for version, probability, threshold, flagged in scores:
                score = {"version": version, "probability": probability, "threshold": threshold}
                session.execute(text(SCORE.format(**score, flagged=flagged, sha256=sha256)))
            most = max(probability for _, probability, _, _ in scores)
            session.execute(text(f"{flag.format(most)} WHERE study_instance_uid = '{uid}'"))
        session.execute(text(MESSAGE.format(sha256=plain)))
        tables = ("scores", "events", "verdicts", "announcements")
        kept = {name: session.execute(text(f"SELECT id FROM {name}")).all() for name in tables}
    upgrade(database)
    assert is_current(database)
    with database.read() as session:
        rows = {
            row.study_instance_uid: row
            for row in reading_order(session, limit=9, display=AS_STORED)
        }
        for name, ids in kept.items():
            assert session.execute(text(f"SELECT id FROM {name}")).all() == ids
        message = session.scalars(select(OutboxMessage)).one()
        assert (message.channel, message.batch) == ("webhook", None)
        assert session.scalars(select(Verdict.blind)).all() == [False, False]
        waits = dict(session.execute(select(Study.study_instance_uid, Study.ranked_by)).all())
    assert (rows["1.1"].probability, rows["1.1"].threshold) == (0.9, 0.6)
    assert (rows["1.2"].probability, rows["1.2"].threshold) == (0.4, 0.3)
    assert all(row.flagged for row in rows.values())
    assert waits == {"1.1": "1", "1.2": None}, "what was mixed up is ranked anew by the next night"
    assert (message.attempts, message.lease_token) == (2, None)
    assert message.lease_until is not None
    assert message.lease_until.isoformat() == "2026-03-01T09:30:00+00:00"
    database.dispose()


def test_names_from_before_are_found_as_people_type_them(database_url: str) -> None:
    database = at_revision(database_url, "0014")
    names = {"1.1": "Peñalosa^Ágata", "1.2": "Groß^Jörg", "1.3": None}
    with database.write() as session:
        for uid, name in names.items():
            values = {"uid": uid, "sha256": uid.ljust(32, "0"), "state": "ready", "code": "NULL"}
            for statement in (STUDY, IMAGE, ARRIVAL):
                session.execute(text(statement.format(**values)))
            session.execute(
                text("UPDATE studies SET patient_name = :name WHERE study_instance_uid = :uid"),
                {"name": name, "uid": uid},
            )
    upgrade(database)

    def search(typed: str) -> list[str]:
        with database.read() as session:
            which = WorklistFilter(text=typed)
            rows = reading_order(session, limit=9, which=which, display=AS_STORED)
        return [row.study_instance_uid for row in rows]

    assert search("penalosa, agata") == ["1.1"]
    assert search("GROSS") == ["1.2"]
    assert search("a-1") == ["1.1", "1.2", "1.3"]
    database.dispose()


def test_a_schema_of_a_newer_release_is_named(database_url: str) -> None:
    database = at_revision(database_url, "head")
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="a newer one made it"):
        upgrade(database)
    database.dispose()


def test_a_database_that_is_none_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "readfirst.db"
    path.write_bytes(b"no database " * 99)
    database = open_database(f"sqlite:///{path}")
    with pytest.raises(Unavailable, match=re.escape(f"({path}): file is not a database")):
        upgrade(database)
    database.dispose()


def test_studies_of_before_say_whose_uid_was_made_here(database_url: str) -> None:
    """By their images' digests; others make UIDs of UUIDs too."""
    database = at_revision(database_url, "0014")
    digests = {
        name: sha256(name.encode()).hexdigest()[:32] for name in ("made", "apart", "own", "uuid")
    }
    uids = {
        "made": uid_from_digest(digests["made"], "study"),
        "apart": uid_from_digest(digests["apart"], "study"),
        "own": "1.2.3",
        "uuid": "2.25.329800735698586629295641978511506172918",
    }
    with database.write() as session:
        for name, uid in uids.items():
            values = {"uid": uid, "sha256": digests[name], "state": "scored", "code": "NULL"}
            for statement in (STUDY, IMAGE, ARRIVAL):
                session.execute(text(statement.format(**values)))
        session.execute(
            text("UPDATE studies SET shared_study_instance_uid = '1.2.3' WHERE id = 2"),
        )
    upgrade(database)
    with database.read() as session:
        rows = reading_order(session, limit=9, display=AS_STORED)
    made = {row.study_instance_uid: row.study_instance_uid_made_here for row in rows}
    assert made == {
        uids["made"]: True,
        uids["apart"]: True,
        uids["own"]: False,
        uids["uuid"]: False,
    }
    assert all(row.invalid_study_instance_uid is None for row in rows)
    database.dispose()


def test_films_in_work_are_tried_anew_and_errors_of_scored_ones_forgotten(
    database_url: str,
) -> None:
    """Nobody knows whose doing the attempts of earlier releases were."""
    database = at_revision(database_url, "0018")
    waits, done, refused = (letter.ljust(32, "0") for letter in "abc")
    with database.write() as session:
        for uid, sha256, state, code in (
            ("1.1", waits, "received", "NULL"),
            ("1.2", done, "scored", "NULL"),
            ("1.3", refused, "refused", "'processing_failed'"),
        ):
            film = {"uid": uid, "sha256": sha256, "state": state, "code": code}
            for statement in (STUDY, IMAGE, ARRIVAL):
                session.execute(text(statement.format(**film)))
        session.execute(text("UPDATE images SET attempts = 3, last_error = 'disk full'"))
    upgrade(database)
    with database.read() as session:
        rows = {row.sha256: row for row in session.scalars(select(Image))}
        delayed = delayed_films(session)
    kept = {name: (row.attempts, row.failures, row.excused) for name, row in rows.items()}
    assert kept == dict.fromkeys((waits, done, refused), (3, 0, 0))
    assert {name: row.last_error for name, row in rows.items()} == {
        waits: "disk full",
        done: None,
        refused: "disk full",
    }
    assert delayed == DelayedFilms(1, "disk full")
    database.dispose()


def at_revision(url: str, revision: str) -> Database:
    database = open_database(url)
    config = Config()
    config.set_main_option("script_location", str(Path(MIGRATIONS)))
    with database.engine.execution_options(readfirst_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database
