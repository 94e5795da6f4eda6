"""HL7 messages all the way into the database: `readfirst mllp`."""

import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.session import Database
from db.tables import Hl7Message, OrderRow, Study
from readfirst.settings import Settings
from tests.support.hl7 import Sender, an_order_message, services
from tests.support.stack import ROOT, listening
from tests.support.studies import NOW, a_header, an_image
from tests.support.waiting import TIMEOUT
from worker.ris.take_message import take_message


def listening_for_hl7(settings: Settings, log: Path) -> AbstractContextManager[int]:
    """The listener as a process of its own. Gives its port."""
    environment = {
        "READFIRST_HOME": str(settings.home_path),
        "READFIRST_DATABASE_URL": settings.database,
        "READFIRST_HL7_PORT": "0",
        "READFIRST_LOG_LEVEL": "info",
    }
    return listening("mllp", environment, log)


def test_orders_raise_studies_and_the_log_names_nobody(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header(accession_number="A1"))
    log = tmp_path / "mllp.log"
    with listening_for_hl7(settings, log) as port, Sender(port) as sender:
        assert sender.send(an_order_message(priority="S")).code == "AA"
        assert sender.send(b"nonsense").code == "AR"
        with database.read() as session:
            assert session.scalars(select(Study)).one().stat, "before the answer came"
    text = log.read_text()
    assert text.count('"event": "message_answered"') == 2
    assert "Ejemplo" not in text


def test_a_message_whose_answer_was_lost_is_taken_once(
    settings: Settings, database: Database
) -> None:
    """The process is killed between the commit and the answer; the sender repeats the message."""
    raw = an_order_message(priority="S")
    for _ in range(2):
        listener = [sys.executable, "-m", "tests.support.killable_listener"]
        command = [*listener, str(settings.home_path), settings.database]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with Sender(port) as sender, pytest.raises(ConnectionError):
                sender.send(raw)
            assert process.wait(TIMEOUT) == -signal.SIGKILL
        assert messages_and_orders(database) == [1, 1]
    answer = take_message(services(database), raw)
    assert b"MSA|AA|C1" in answer
    assert messages_and_orders(database) == [1, 1]


def messages_and_orders(database: Database) -> list[int | None]:
    with database.read() as session:
        return [
            session.scalar(select(func.count()).select_from(table))
            for table in (Hl7Message, OrderRow)
        ]
