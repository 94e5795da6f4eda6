"""A site that falls silent tells nobody of the flags that waited to be told."""

from dataclasses import replace

from pydantic import SecretStr
from sqlalchemy import select

from db.lifecycle.unit_of_work import UnitOfWork
from db.session import Database
from db.tables import OutboxMessage
from readfirst.settings import Settings
from tests.support.studies import NOW, POLICY, a_scored_image
from worker.delivery.deliver import deliver_next, receivers


def test_a_flag_that_waited_is_told_no_more(database: Database, settings: Settings) -> None:
    with database.write() as session:
        unit = UnitOfWork(session, NOW, replace(POLICY, webhook=True))
        a_scored_image(unit, NOW, probability=0.9)
        unit.write()
    site = settings.model_copy(
        update={
            "mode": "silent",
            # Nobody listens there: whoever tries to tell it fails, and a unit test that tries too.
            "webhook_url": "http://127.0.0.1:1/",
            "webhook_secret": SecretStr("a secret of this site"),
        }
    )
    assert deliver_next(database, receivers(site))
    with database.read() as session:
        message = session.scalars(select(OutboxMessage)).one()
    assert (message.delivered_at is not None, message.last_error) == (True, None)
