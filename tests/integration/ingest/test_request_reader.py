"""The thread that reads association requests comes to its end."""

from ingest.receivers.request_reader import RequestReader
from tests.support.waiting import wait_until


def test_a_thread_that_ends_before_it_is_woken_harms_nobody() -> None:
    reader = RequestReader(lambda *_: None, None)
    # As where it looks between the two steps of `close`.
    reader._stopped.set()
    wait_until(lambda: not reader._thread.is_alive())
    reader.close()
