"""The HL7 listener over real sockets: who is let in, and what ends a connection."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from ingest.hl7 import listener as module
from ingest.hl7.answers import ACCEPTED, ack_message
from ingest.hl7.envelope import read_envelope
from ingest.hl7.listener import Hl7Listener, TakeMessage, listening_for_hl7
from ingest.hl7.listener_config import Hl7ListenerConfig, hl7_listener_config
from readfirst.errors import Misconfigured
from readfirst.settings import Settings
from tests.integration.ingest.test_receive import write_certificate
from tests.support.hl7 import END, START, Sender, a_message, an_order_message
from tests.support.waiting import LONG_TIMEOUT, TIMEOUT, wait_until

CONFIG = Hl7ListenerConfig(
    host="127.0.0.1", port=0, peers=(), connections=4, most_bytes=20_000, seconds=TIMEOUT
)
NODE = Path(".venv/bin/node").absolute()


class MessageReceiver:
    """Messages that came in. `hold`: until it is set, none is answered."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, raw: bytes, is_whole: bool) -> bytes:
        self.messages.append((raw, is_whole))
        assert self.hold.wait(TIMEOUT)
        return ack_message(read_envelope(raw), ACCEPTED, datetime.now(UTC))


@pytest.fixture
def receiver() -> MessageReceiver:
    return MessageReceiver()


@contextmanager
def a_listener(take: TakeMessage, config: Hl7ListenerConfig = CONFIG) -> Iterator[Hl7Listener]:
    with listening_for_hl7(config, take) as listener:
        yield listener


def test_messages_are_answered_one_after_the_other_on_one_connection(
    receiver: MessageReceiver,
) -> None:
    sent = [an_order_message(control_id=f"C{number}") for number in range(3)]
    with a_listener(receiver) as listener, Sender(listener.port) as sender:
        assert [sender.send(each).control_id for each in sent] == ["C0", "C1", "C2"]
        # All at once, and with more between them than the standard has.
        sender.socket.sendall(b"".join(START + each + END + b"\r\n\0" for each in sent))
        assert [sender.answer().control_id for _ in sent] == ["C0", "C1", "C2"]
    assert receiver.messages == [(each, True) for each in sent * 2]


def test_a_message_may_come_in_pieces_and_end_without_a_carriage_return(
    receiver: MessageReceiver,
) -> None:
    raw = START + an_order_message() + END[:1]
    with a_listener(receiver) as listener, Sender(listener.port) as sender:
        sender.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(0, len(raw), 100):
            sender.socket.sendall(raw[number : number + 100])
        assert sender.answer().code == "AA"


def test_a_message_that_drips_is_given_up_and_keeps_nobody_waiting(
    receiver: MessageReceiver,
) -> None:
    config = replace(CONFIG, seconds=0.2)
    with a_listener(receiver, config) as listener, Sender(listener.port) as slow:
        slow.socket.sendall(START + an_order_message()[:50])
        with Sender(listener.port) as other:
            assert other.send(an_order_message()).code == "AA"
        assert slow.hangs_up()
    assert len(receiver.messages) == 1


def test_a_connection_without_a_message_is_let_be(receiver: MessageReceiver) -> None:
    """RIS keep a connection open for hours."""
    config = replace(CONFIG, seconds=0.1)
    with a_listener(receiver, config) as listener, Sender(listener.port) as sender:
        time.sleep(3 * config.seconds)
        assert sender.send(an_order_message()).code == "AA"


def test_a_message_that_is_too_large_is_answered_and_its_connection_ends(
    receiver: MessageReceiver,
) -> None:
    large = a_message("ORM^O01", "NTE|1||" + "x" * 100_000, control_id="BIG")
    with a_listener(receiver) as listener, Sender(listener.port) as sender:
        assert sender.send(large).control_id == "BIG"
        assert sender.hangs_up()
        with Sender(listener.port) as other:
            assert other.send(an_order_message()).code == "AA"
    (_, is_whole), _ = receiver.messages
    assert not is_whole


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02", b"MSH|^~\\&|"])
def test_whoever_speaks_no_mllp_is_hung_up_on(receiver: MessageReceiver, junk: bytes) -> None:
    with a_listener(receiver) as listener:
        with Sender(listener.port) as sender:
            sender.socket.sendall(junk)
            assert sender.hangs_up()
        with Sender(listener.port) as sender:
            assert sender.send(an_order_message()).code == "AA"


def test_an_address_that_is_not_listed_is_hung_up_on(receiver: MessageReceiver) -> None:
    config = replace(CONFIG, peers=(ip_network("10.0.0.0/8"),))
    with a_listener(receiver, config) as listener, Sender(listener.port) as sender:
        assert sender.hangs_up()


def test_the_quietest_of_too_many_makes_room(
    receiver: MessageReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_listener(receiver) as listener:
        senders = [Sender(listener.port) for _ in range(CONFIG.connections)]
        for sender in senders:
            assert sender.send(an_order_message()).code == "AA"
        with Sender(listener.port) as one_more:
            assert one_more.hangs_up(), "all of them were heard a moment ago"
        monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
        with Sender(listener.port) as one_more:
            assert one_more.send(an_order_message()).code == "AA"
        assert senders[0].hangs_up()
        for sender in senders[1:]:
            assert sender.send(an_order_message()).code == "AA"
        for sender in senders:
            sender.socket.close()


def test_a_stop_waits_for_the_answer_that_is_due_and_for_no_quiet_connection(
    receiver: MessageReceiver,
) -> None:
    receiver.hold.clear()
    with a_listener(receiver) as listener:
        quiet, busy = Sender(listener.port), Sender(listener.port)
        busy.socket.sendall(START + an_order_message() + END)
        wait_until(lambda: receiver.messages)
        listener.stop()
        assert quiet.hangs_up()
        receiver.hold.set()
        assert busy.answer().code == "AA"
    busy.socket.close()
    quiet.socket.close()


def test_by_tls_only_certificates_of_the_ca_are_let_in(
    receiver: MessageReceiver, tmp_path: Path
) -> None:
    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    key, certificate = write_certificate(authority, tmp_path / "server")
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    settings = Settings(hl7_port=0, hl7_tls_certificate=certificate, hl7_tls_key=key, hl7_tls_ca=ca)
    client_key, client_certificate = write_certificate(authority, tmp_path / "client")
    context = ssl.create_default_context(cafile=str(ca))
    with a_listener(receiver, hl7_listener_config(settings)) as listener:
        with Sender(listener.port) as plain:
            plain.socket.sendall(START + an_order_message() + END)
            assert plain.hangs_up()
        with pytest.raises((ssl.SSLError, ConnectionError)), Sender(listener.port, context) as bare:
            bare.send(an_order_message())
        context.load_cert_chain(client_certificate, client_key)
        with Sender(listener.port, context) as sender:
            assert sender.send(an_order_message()).code == "AA"
    assert len(receiver.messages) == 1


def test_a_foreign_client_is_answered(receiver: MessageReceiver, tmp_path: Path) -> None:
    """The package node-hl7-client, an implementation by others."""
    script = Path("tests/support/node_hl7_client.mjs").absolute()
    with a_listener(receiver) as listener:
        client = subprocess.run(
            [str(NODE), str(script), str(listener.port)],
            capture_output=True,
            text=True,
            timeout=LONG_TIMEOUT,
            check=False,
            cwd=tmp_path,
        )
    assert client.stdout.split() == ["AA", "AA"], client.stderr
    assert all(raw.startswith(b"MSH|^~\\&|") for raw, _ in receiver.messages)


def test_a_port_that_is_taken_is_named(receiver: MessageReceiver) -> None:
    with (
        a_listener(receiver) as listener,
        pytest.raises(Misconfigured, match="READFIRST_HL7_PORT"),
        a_listener(receiver, replace(CONFIG, port=listener.port)),
    ):
        pass


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "set READFIRST_HL7_PORT"),
        ({"hl7_port": 0, "hl7_host": "0.0.0.0"}, "READFIRST_HL7_PEERS"),
        ({"hl7_port": 0, "hl7_tls_ca": Path("ca.pem")}, "READFIRST_HL7_TLS_CERTIFICATE"),
    ],
)
def test_what_is_missing_is_named(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        hl7_listener_config(Settings(**values))  # type: ignore[arg-type]
