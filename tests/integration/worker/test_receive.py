"""Images sent by DICOM, all the way into the database: `readfirst receive` and the ingester."""

import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from db.tables import Image
from tests.chaos.test_ingester import images, run_until
from tests.support.dcmtk import STORESCU, needs_dcmtk
from tests.support.files import a_dicom_file
from tests.support.stack import listening
from tests.support.waiting import LONG_TIMEOUT, TIMEOUT, in_background, wait_until
from tests.support.workers import Worker

# The listener knows no database, and what takes in files is tested with both elsewhere.
pytestmark = [
    needs_dcmtk,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SENDERS, EACH = 20, 2


def receiving(worker: Worker, log: Path) -> AbstractContextManager[int]:
    """The listener as a process of its own. Gives its port."""
    settings = {
        "READFIRST_HOME": str(worker.settings.home_path),
        "READFIRST_RECEIVE_PORT": "0",
        "READFIRST_LOG_LEVEL": "debug",
    }
    return listening("receive", settings, log)


def send(port: int, *paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(port, *paths), capture_output=True, text=True, timeout=LONG_TIMEOUT, check=False
    )


def command(port: int, *paths: Path) -> list[str]:
    patient = ["-ta", str(round(TIMEOUT))]
    return [STORESCU, *patient, "-aec", "READFIRST", "127.0.0.1", str(port), *map(str, paths)]


@contextmanager
def only_the_beginning_of(most: int, port: int) -> Iterator[int]:
    """A way to a listener that lets so many bytes through and then no more. Gives its port.

    The connection to the listener ends with the block.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def forward() -> None:
            with door.accept()[0] as sender, socket.create_connection(("127.0.0.1", port)) as there:
                answers = threading.Thread(target=pass_on, args=(there, sender, sys.maxsize))
                answers.start()
                pass_on(sender, there, most)
                over.wait()
                there.shutdown(socket.SHUT_RDWR)
                answers.join()

        with in_background(forward, over.set):
            yield int(door.getsockname()[1])


def pass_on(source: socket.socket, target: socket.socket, most: int) -> None:
    """Pass bytes on until there are no more, or so many were."""
    with suppress(OSError):
        while most > 0 and (content := source.recv(min(most, 65536))):
            target.sendall(content)
            most -= len(content)


def test_twenty_senders_at_once_and_every_image_arrives_once(
    worker: Worker, tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    sent = [
        [a_dicom_file(films / f"{sender}-{each}.dcm") for each in range(EACH)]
        for sender in range(SENDERS)
    ]
    log = tmp_path / "receive.log"
    with (
        receiving(worker, log) as port,
        ThreadPoolExecutor(SENDERS) as pool,
    ):
        answers = list(pool.map(lambda paths: send(port, *paths), sent))
        assert [answer.stderr for answer in answers if answer.returncode] == []
        # One of them sends everything again, as senders do that missed an answer.
        assert send(port, *sent[0]).returncode == 0
    run_until(worker, lambda: images(worker) == SENDERS * EACH)
    with worker.database.read() as session:
        uids = Counter(session.scalars(select(Image.sop_instance_uid)))
    assert len(uids) == SENDERS * EACH
    assert set(uids.values()) == {1}
    text = log.read_text()
    assert text.count('"event": "stored"') == (SENDERS + 1) * EACH
    assert "Invented" not in text
    assert "TEST-1" not in text


def test_a_sender_that_is_killed_in_the_middle_spoils_nothing(
    worker: Worker, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 4096, (1000, 1000), dtype=np.uint16)
    large = a_dicom_file(tmp_path / "large.dcm", noise)
    small = a_dicom_file(tmp_path / "small.dcm")
    arriving = worker.settings.inbox_path / ".arriving"
    with receiving(worker, tmp_path / "receive.log") as port:
        with only_the_beginning_of(500_000, port) as narrow:
            sender = subprocess.Popen(command(narrow, large), stderr=subprocess.DEVNULL)
            wait_until(lambda: any(arriving.glob("*.part")))
            sender.kill()
            sender.wait()
        wait_until(lambda: list(arriving.iterdir()) == [])
        assert send(port, small).returncode == 0
    assert list(arriving.iterdir()) == []
    run_until(worker, lambda: images(worker) == 1)
