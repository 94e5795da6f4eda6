"""Images sent by DICOM, all the way into the database: `readfirst receive` and the ingester."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import select

from db.tables import Image
from tests.dcmtk import STORESCU, needs_dcmtk
from tests.ingest.builders import a_dicom_file
from tests.worker.test_ingester import images, run_until
from worker.resources import Resources

pytestmark = needs_dcmtk
SENDERS, EACH = 20, 3


@contextmanager
def receiving(resources: Resources, log: Path) -> Iterator[int]:
    """The listener as a process of its own. Gives its port; at the end it stops in good order."""
    environment = {name: value for name, value in os.environ.items() if "READFIRST_" not in name}
    environment |= {
        "READFIRST_HOME": str(resources.settings.home_path),
        "READFIRST_RECEIVE_PORT": "0",
        "READFIRST_LOG_LEVEL": "debug",
    }
    command = [sys.executable, "-m", "readfirst", "receive"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        rest = threading.Thread(target=shutil.copyfileobj, args=(process.stderr, stderr))
        rest.start()
        try:
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, line
            yield int(found[1])
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
            rest.join()
            process.stderr.close()
    assert code == 0


def send(port: int, *paths: Path) -> subprocess.CompletedProcess[str]:
    command = [STORESCU, "-aec", "READFIRST", "127.0.0.1", str(port), *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_twenty_senders_at_once_and_every_image_arrives_once(
    resources: Resources, tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    sent = [
        [a_dicom_file(films / f"{sender}-{each}.dcm") for each in range(EACH)]
        for sender in range(SENDERS)
    ]
    log = tmp_path / "receive.log"
    with (
        receiving(resources, log) as port,
        ThreadPoolExecutor(SENDERS) as pool,
    ):
        answers = list(pool.map(lambda paths: send(port, *paths), sent))
        assert [answer.stderr for answer in answers if answer.returncode] == []
        # One of them sends everything again, as senders do that missed an answer.
        assert send(port, *sent[0]).returncode == 0
    run_until(resources, lambda: images(resources) == SENDERS * EACH, seconds=60)
    with resources.database.read() as session:
        uids = Counter(session.scalars(select(Image.sop_instance_uid)))
    assert len(uids) == SENDERS * EACH
    assert set(uids.values()) == {1}
    said = log.read_text()
    assert said.count('"event": "stored"') == (SENDERS + 1) * EACH
    assert "Invented" not in said
    assert "TEST-1" not in said


def test_a_sender_that_is_killed_in_the_middle_spoils_nothing(
    resources: Resources, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 4096, (4000, 4000), dtype=np.uint16)
    large = a_dicom_file(tmp_path / "large.dcm", noise)
    small = a_dicom_file(tmp_path / "small.dcm")
    arriving = resources.settings.inbox_path / ".arriving"
    with receiving(resources, tmp_path / "receive.log") as port:
        command = [STORESCU, "-aec", "READFIRST", "127.0.0.1", str(port), str(large)]
        sender = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while sender.poll() is None and not any(arriving.glob("*.part")):
            pass
        sender.kill()
        sender.wait()
        assert send(port, small).returncode == 0
    assert list(arriving.iterdir()) == []
    run_until(resources, lambda: images(resources) == 1)
