"""Messages that could not be read, as the administrator sees, retries and removes them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from db.access.audit import AuditAction, entries
from db.ris.messages import kept_messages
from db.session import Database
from readfirst.access.roles import Role
from readfirst.settings import Settings
from tests.support.browsers import FORM, logged_in
from tests.support.hl7 import RULES, an_order_message, services
from worker.ris.retry import retry_next_wanted_message
from worker.ris.take_message import take_message
from worklist.app import make_app

PAGE, API = "/admin/messages", "/api/v1/admin/messages"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    """The browser of an admin who is logged in."""
    with logged_in(make_app(settings), database, Role.ADMIN) as opened:
        yield opened


@pytest.fixture
def number(database: Database) -> int:
    """The number of a message without an accession number."""
    take_message(services(database), an_order_message(accession=""))
    with database.read() as session:
        return kept_messages(session, limit=1)[0].number


def act(client: TestClient, number: int, action: str) -> int:
    data = FORM | {"action": action}
    return int(client.post(f"{PAGE}/{number}", data=data).status_code)


def noted(database: Database) -> list[tuple[str | None, str, object]]:
    wanted = (AuditAction.MESSAGE_RETRY_WANTED, AuditAction.MESSAGE_REMOVED)
    with database.read() as session:
        rows = entries(session, limit=100)
    return [(row.account, row.action, row.detail) for row in rows if row.action in wanted]


def test_messages_are_listed_without_what_they_say(client: TestClient, number: int) -> None:
    page = client.get(PAGE).text
    assert "The message names no accession number." in page
    assert f'id="message-{number}"' in page
    assert "Ejemplo" not in page
    (row,) = client.get(API).json()
    assert (row["number"], row["code"]) == (number, "no_accession_number")
    assert (row["message_type"], row["retry_wanted"]) == ("ORM^O01", False)


def test_a_message_is_tried_again_by_a_worker(
    client: TestClient, database: Database, number: int
) -> None:
    assert act(client, number, "retry") == 303
    assert "trying again …" in client.get(PAGE).text
    by_filler = services(database, rules=replace(RULES, accession="filler"))
    assert retry_next_wanted_message(by_filler)
    assert not retry_next_wanted_message(by_filler)
    assert "The HL7 listener is off" in client.get(PAGE).text
    detail = {"message": number}
    assert noted(database) == [("admin", AuditAction.MESSAGE_RETRY_WANTED, detail)]


def test_a_message_that_cannot_be_read_again_is_listed_again(
    client: TestClient, database: Database, number: int
) -> None:
    assert act(client, number, "retry") == 303
    assert retry_next_wanted_message(services(database))
    assert not retry_next_wanted_message(services(database))
    assert client.get(API).json()[0]["retry_wanted"] is False


def test_a_message_that_nobody_misses_is_removed(
    client: TestClient, database: Database, number: int
) -> None:
    assert act(client, number, "remove") == 303
    assert client.get(API).json() == []
    assert act(client, number, "remove") == act(client, number, "retry") == 404
    assert act(client, number, "forget") == 422
    detail = {"message": number}
    assert noted(database) == [("admin", AuditAction.MESSAGE_REMOVED, detail)]
