"""HL7 messages all the way into the database: `readfirst mllp`."""

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.session import Database
from db.tables import Hl7Message, OrderRow, Study
from readfirst.settings import Settings
from tests.support.environments import clean_environment
from tests.support.hl7 import Sender, an_order_message, services
from tests.support.studies import NOW, a_header, an_image
from tests.support.waiting import TIMEOUT
from worker.ris.take_message import take_message

ROOT = Path(__file__).parents[3]


@contextmanager
def listening(settings: Settings, log: Path) -> Iterator[int]:
    """The listener as a process of its own. Gives its port; at the end it stops in good order."""
    environment = clean_environment()
    environment |= {
        "READFIRST_HOME": str(settings.home_path),
        "READFIRST_DATABASE_URL": settings.database,
        "READFIRST_HL7_PORT": "0",
        "READFIRST_LOG_LEVEL": "info",
    }
    command = [sys.executable, "-m", "readfirst", "mllp"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, cwd=ROOT)
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        rest = threading.Thread(target=shutil.copyfileobj, args=(process.stderr, stderr))
        rest.start()
        try:
            match = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert match, line
            yield int(match[1])
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(TIMEOUT)
            rest.join()
            process.stderr.close()
    assert code == 0


def test_orders_raise_studies_and_the_log_names_nobody(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", header=a_header(accession_number="A1"))
    log = tmp_path / "mllp.log"
    with listening(settings, log) as port, Sender(port) as sender:
        assert sender.send(an_order_message(priority="S")).code == "AA"
        assert sender.send(b"nonsense").code == "AR"
        with database.read() as session:
            assert session.scalars(select(Study)).one().stat, "before the answer came"
    text = log.read_text()
    assert text.count('"event": "message_answered"') == 2
    assert "Ejemplo" not in text


@pytest.mark.parametrize("times", [1, 2])
def test_a_message_whose_answer_was_lost_is_taken_once(
    settings: Settings, database: Database, times: int
) -> None:
    """The process is killed between the commit and the answer; the sender repeats the message."""
    raw = an_order_message(priority="S")
    for _ in range(times):
        listener = [sys.executable, "-m", "tests.support.killable_listener"]
        command = [*listener, str(settings.home_path), settings.database]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with Sender(port) as sender, pytest.raises(ConnectionError):
                sender.send(raw)
            assert process.wait(TIMEOUT) == -signal.SIGKILL
    answer = take_message(services(database), raw)
    assert b"MSA|AA|C1" in answer
    with database.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Hl7Message, OrderRow)
        ]
    assert counts == [1, 1]
