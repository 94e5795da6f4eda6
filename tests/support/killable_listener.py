"""An HL7 listener in a process of its own that dies once a message is committed, unanswered.

python -m tests.support.killable_listener HOME DATABASE_URL
"""

import os
import signal
import sys
from pathlib import Path

from pydantic import SecretStr

from ingest.hl7.listener import listening_for_hl7
from ingest.hl7.listener_config import hl7_listener_config
from readfirst.settings import Settings
from readfirst.testing import RecordingNotifier
from worker.ris.services import open_ris
from worker.ris.take_message import take_message


def main(home: str, database_url: str) -> None:
    """Print the port, take one message, and die before it is answered."""
    settings = Settings(home=Path(home), database_url=SecretStr(database_url), hl7_port=0)
    with open_ris(settings, RecordingNotifier()) as services:

        def take_and_die(raw: bytes, is_whole: bool) -> bytes:
            take_message(services, raw, is_whole)
            os.kill(os.getpid(), signal.SIGKILL)
            return b""

        with listening_for_hl7(hl7_listener_config(settings), take_and_die) as listener:
            print(listener.port, flush=True)
            signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
