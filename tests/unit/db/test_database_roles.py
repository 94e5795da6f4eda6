"""Two roles of PostgreSQL: an owner, and the application's, which only adds to history."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from cli.checks.database import check_database
from db.access import accounts
from db.access.audit import Actor, AuditAction, note
from db.access.login_sessions import open_session
from db.database_roles import HISTORY, alterable_history, migrate_as_owner
from db.lifecycle.retention import due_originals, original_removed
from db.lifecycle.verdicts import VerdictInput
from db.migrate import upgrade
from db.session import Database, open_database
from db.worklist.queries import study_detail
from readfirst.access.roles import Role
from readfirst.errors import Misconfigured
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from tests.conftest import PostgreSQL
from tests.support.studies import AS_STORED, NOW, a_scored_image, give_verdict, lifecycle

APPLICATION_ROLE = "readfirst_application"
WORDS = "it's secret"


@pytest.fixture(scope="module")
def owned_template(postgresql: PostgreSQL) -> Iterator[str]:
    """The name of a database that its owner migrated, to be copied."""
    with postgresql.new_database() as url:
        owner = open_database(url)
        # Twice, as at each release.
        application = as_application(url)
        assert [migrate_as_owner(owner, application) for _ in range(2)] == [APPLICATION_ROLE] * 2
        owner.dispose()
        name = str(make_url(url).database)
        postgresql.wait_until_free(name)
        yield name


def as_application(url: str) -> str:
    """The URL of a database, by the application's role."""
    application = make_url(url).set(username=APPLICATION_ROLE, password=WORDS)
    return application.render_as_string(hide_password=False)


@pytest.fixture
def owners_url(postgresql: PostgreSQL, owned_template: str) -> Iterator[str]:
    """A database that its owner migrated; the URL is of the owner's role."""
    with postgresql.new_database(owned_template) as url:
        yield url


@pytest.fixture
def database_url(owners_url: str) -> str:
    """The same database; the URL is of the application's role."""
    return as_application(owners_url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def owner(owners_url: str) -> Iterator[Database]:
    """The same database, by the role that owns its tables."""
    opened = open_database(owners_url)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {} SET id = id + 1000",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {} CASCADE",
        "ALTER TABLE {} OWNER TO " + APPLICATION_ROLE,
        "INSERT INTO {0} SELECT * FROM {0} ON CONFLICT (id) DO UPDATE SET id = 7",
    ],
)
def test_the_applications_role_adds_to_history_and_changes_nothing(
    database: Database, table: str, change: str
) -> None:
    with database.write() as session:
        image = a_scored_image(session, NOW, probability=0.9)
        note(session, Actor(None, None), AuditAction.LOGGED_IN, NOW)
        study = image.study.study_instance_uid
    with database.write() as session:
        give_verdict(session, study, VerdictInput())
    count = text(f"SELECT count(*) FROM {table}")
    with database.read() as session:
        before = session.scalar(count)
    assert before
    refusal = pytest.raises(DBAPIError, match=r"permission denied|must be owner")
    with refusal, database.write() as session:
        session.execute(text(change.format(table)))
    with database.read() as session:
        assert session.scalar(count) == before


def test_the_doctor_says_when_the_applications_role_owns_history(
    database: Database, owner: Database, settings: Settings, database_url: str
) -> None:
    assert alterable_history(database) == ()
    assert check_database(settings).warning == ""
    assert alterable_history(owner) == HISTORY
    url = owner.engine.url.render_as_string(hide_password=False)
    as_owner = settings.model_copy(update={"database_url": SecretStr(url)})
    result = check_database(as_owner)
    assert result.well
    assert "owns audit, events, scores, verdicts" in result.warning


def test_a_role_that_owns_nothing_says_who_migrates(owner: Database, database: Database) -> None:
    with owner.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0014'"))
    with pytest.raises(Misconfigured, match="readfirst migrate"):
        upgrade(database)


def test_one_role_is_not_made_two(owner: Database) -> None:
    url = owner.engine.url.render_as_string(hide_password=False)
    with pytest.raises(Misconfigured, match="one role"):
        migrate_as_owner(owner, url)
    with pytest.raises(Misconfigured, match="PostgreSQL"):
        migrate_as_owner(owner, "sqlite:///readfirst.db")


def test_the_applications_role_does_all_the_work(database: Database) -> None:
    """The life of a film, its reader's log-in, and the end of its original."""
    upgrade(database)
    with database.write() as session:
        new = accounts.NewAccount(name="anna", role=Role.READER, password_hash="x")
        accounts.add(session, new, NOW)
        open_session(session, "anna", "secret", NOW, "192.0.2.1")
        image = a_scored_image(session, NOW, probability=0.9)
        study = image.study.study_instance_uid
        give_verdict(session, study, VerdictInput(finding=Finding.PNEUMONIA))
    with lifecycle(database, NOW + timedelta(days=40)) as unit:
        due = due_originals(unit, refused_before=None, scored_before=unit.at, after_id=0, limit=10)
        assert [each.id for each in due] == [image.id]
        original_removed(unit, due[0])
    with database.write() as session:
        accounts.disable(session, "anna", NOW)
        detail = study_detail(session, study, display=AS_STORED)
    assert detail is not None
    assert detail.events[-1].action == "original_removed"
    assert detail.study.images[0].original_removed_at is not None
