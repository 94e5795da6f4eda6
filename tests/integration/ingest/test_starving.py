"""The listener answers an honest caller whoever else is connected and does nothing."""

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.association import Association

from ingest.inbox.inbox_writer import InboxWriter
from ingest.receivers import listener as listener_module
from ingest.receivers import request_reader
from ingest.receivers.contexts import VERIFICATION
from ingest.receivers.listener import Listener, listening
from ingest.receivers.listener_config import ListenerConfig
from ingest.receivers.request_reader import MOST_CALLERS
from tests.support.waiting import TIMEOUT, wait_until

CONFIG = ListenerConfig(
    host="127.0.0.1",
    port=0,
    ae_title="READFIRST",
    calling=(),
    peers=(),
    associations=8,
    most_bytes=50_000_000,
)
#: More than may wait to ask, in all and of one network.
CROWD = MOST_CALLERS + 32
#: The begin of an association request that says to have 200 bytes.
HALF_REQUEST = bytes.fromhex("01 00 000000c8 0001")
#: The begin of a PDU of data that says to have 200 bytes.
HALF_DATA = bytes.fromhex("04 00 000000c8 0000")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    inbox = tmp_path / "inbox"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    with listening(CONFIG, InboxWriter(inbox, "dicom", lambda: True)) as started:
        yield started
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connected(listener: Listener, begin: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", listener.port), timeout=TIMEOUT)
    with suppress(OSError):
        client.sendall(begin)
    return client


@contextmanager
def dripping(
    clients: list[socket.socket], again: Callable[[], socket.socket]
) -> Iterator[list[socket.socket]]:
    """Send each a byte now and then, and connect again in place of those that are gone."""
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.5):
            for number, client in enumerate(clients):
                try:
                    client.sendall(b"x")
                except OSError:
                    client.close()
                    clients[number] = again()

    thread = threading.Thread(target=drip)
    thread.start()
    yield clients
    stop.set()
    thread.join()
    for client in clients:
        client.close()


def echo(listener: Listener) -> int | None:
    """The status of a C-ECHO; None if no association comes about."""
    ae = AE("HONEST")
    ae.add_requested_context(VERIFICATION)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = TIMEOUT
    association = ae.associate("127.0.0.1", listener.port, ae_title="READFIRST")
    if not association.is_established:
        return None
    status = association.send_c_echo().get("Status")
    association.release()
    return None if status is None else int(status)


def established(listener: Listener) -> Association:
    ae = AE("CROWD")
    ae.add_requested_context(VERIFICATION)
    return ae.associate("127.0.0.1", listener.port, ae_title="READFIRST")


@pytest.mark.parametrize("begin", [b"", HALF_REQUEST], ids=["silent", "dripping"])
def test_an_echo_is_answered_while_a_crowd_does_not_ask(listener: Listener, begin: bytes) -> None:
    before = threading.active_count()
    clients = [connected(listener, begin) for _ in range(CROWD)]
    with dripping(clients, lambda: connected(listener, begin)):
        for _ in range(3):
            assert echo(listener) == 0
        assert threading.active_count() - before < 20


def test_a_request_has_one_deadline_whatever_drips(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_reader, "REQUEST_SECONDS", 2.0)
    client = connected(listener, HALF_REQUEST)
    began = time.monotonic()
    with pytest.raises(OSError, match=r"."):  # noqa: PT012 - the next byte may be the one
        while time.monotonic() - began < TIMEOUT:
            client.sendall(b"x")
            time.sleep(0.1)
    client.close()


def test_a_full_house_of_silent_associations_makes_room(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "QUIET_SECONDS", 1.0)
    crowd = [established(listener) for _ in range(CONFIG.associations)]
    assert all(each.is_established for each in crowd)
    for each in crowd[:4]:
        # They drip: each reads a PDU that does not come to its end.
        each.dul.socket.socket.sendall(HALF_DATA)  # type: ignore[union-attr]
    wait_until(lambda: echo(listener) == 0)
    for each in crowd:
        each.abort()


def test_a_pdu_that_drips_is_given_up(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "SILENCE_SECONDS", 2.0)
    dripper = established(listener)
    connection = dripper.dul.socket
    assert connection is not None
    assert connection.socket is not None
    connection.socket.sendall(HALF_DATA)
    for _ in range(50):
        with suppress(OSError, AttributeError):
            connection.socket.sendall(b"\0")
        time.sleep(0.1)
    wait_until(lambda: not listener.active_associations)
    dripper.abort()


def test_what_is_no_request_is_answered_by_an_abort(listener: Listener) -> None:
    for odd in (b"GET / HTTP/1.1\r\n", b"\x04\0\0\0\0\x01"):
        with connected(listener, odd) as client:
            assert client.recv(100)[:1] == b"\x07"
