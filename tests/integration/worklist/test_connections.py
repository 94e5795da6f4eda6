"""Deadlines of connections, by a clock of the test, on uvicorn and real sockets."""

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
import uvicorn
from starlette.types import Receive, Scope, Send

from cli.page_sockets import inherited, listen
from tests.support.waiting import TIMEOUT, in_background, wait_until
from worklist.http.accepting import Acceptor
from worklist.http.connections import (
    BODY_BYTES,
    BODY_SECONDS,
    HEAD_SECONDS,
    READ_SECONDS,
    ConnectionLimits,
    Connections,
)
from worklist.http.limited_protocol import LimitedProtocol
from worklist.server import Server

MANY = ConnectionLimits(100, 100)
#: More than the kernel holds back between two sockets of one machine.
LONG = 64 * 1024 * 1024
#: Sizes of the parts of a body that came in; of one request a test.
RECEIVED: list[int] = []


class CountingClock:
    """Seconds that pass only when they are told to; it knows how often somebody looked at it."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now

    def go_on(self, seconds: float) -> None:
        """Let time pass, and wait until the server has looked for whom it is too long."""
        self.now += seconds
        before = self.looks
        wait_until(lambda: self.looks > before + 1)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """`/body` counts a body, `/early` answers before it, `/long` sends a lot, `/live` goes on."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    content = b"here"
    if scope["path"] == "/body":
        content = str(await received(receive)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/live":
        await received(receive)
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"alive", "more_body": True})
            await asyncio.wait([gone], timeout=0.2)
        return
    for _ in range(LONG // 65536 if scope["path"] == "/long" else 0):
        await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
    await send({"type": "http.response.body", "body": content})


async def received(receive: Receive) -> int:
    more = True
    while more:
        message = await receive()
        RECEIVED.append(len(message.get("body", b"")))
        more = message.get("more_body", False)
    return sum(RECEIVED)


def has_come(size: int) -> bool:
    """Tell whether the application of a test has received so many bytes of a body."""
    return sum(RECEIVED) == size


class AttentiveServer(Server):
    """Looks for clients that took too long ten times a second, since here a second is soon over."""

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(0)


@contextmanager
def serving(
    clock: CountingClock, limits: ConnectionLimits = MANY, **options: Any
) -> Iterator[tuple[str, int]]:
    config = uvicorn.Config(
        application, host="127.0.0.1", port=0, http=LimitedProtocol, log_config=None, **options
    )
    streams: Any = SimpleNamespace(close=lambda: None)
    server = AttentiveServer(config, streams, Connections(limits, clock), lambda _: False)

    def stop() -> None:
        server.should_exit = server.force_exit = True

    with in_background(server.run, stop):
        wait_until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[:2]


@pytest.fixture
def clock() -> CountingClock:
    return CountingClock()


@pytest.fixture
def peer(clock: CountingClock) -> Iterator[tuple[str, int]]:
    with serving(clock) as address:
        yield address


CLIENTS: list[socket.socket] = []


@pytest.fixture(autouse=True)
def _closed_at_the_end() -> Iterator[None]:
    RECEIVED.clear()
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def connected(peer: tuple[str, int], content: bytes = b"") -> socket.socket:
    """A client that has sent something; it is closed when the test ends."""
    client = socket.create_connection(peer, timeout=TIMEOUT)
    CLIENTS.append(client)
    client.sendall(content)
    return client


def request(method: str, path: str, length: int = 0) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def is_cut(client: socket.socket) -> bool:
    """Return whether the server has ended a connection, whatever came before."""
    client.settimeout(0.2)
    try:
        while client.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def is_cut_after(client: socket.socket, clock: CountingClock, seconds: float) -> bool:
    """Let time pass, and send one byte. Returns whether the server has ended the connection.

    On a busy machine it may read what was sent only after time has passed: then it counts later,
    so a test tries again, and each time a byte more has come.
    """
    clock.go_on(seconds)
    with suppress(OSError):
        client.sendall(b"x")
    return is_cut(client)


@pytest.mark.parametrize("begin", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX: "])
def test_a_head_has_one_deadline_whatever_drips(
    peer: tuple[str, int], clock: CountingClock, begin: bytes
) -> None:
    client = connected(peer, begin)
    for _ in range(3):
        assert not is_cut_after(client, clock, HEAD_SECONDS / 4)
    wait_until(lambda: is_cut_after(client, clock, HEAD_SECONDS / 4))


def test_the_next_head_on_the_same_connection_has_one_too(
    peer: tuple[str, int], clock: CountingClock
) -> None:
    client = connected(peer, request("GET", "/"))
    wait_until(lambda: b"here" in client.recv(65536))
    client.sendall(b"GET / HTTP/1.1\r\nX: ")
    assert not is_cut_after(client, clock, HEAD_SECONDS / 2)
    wait_until(lambda: is_cut_after(client, clock, HEAD_SECONDS / 2))


@pytest.mark.parametrize("path", ["/body", "/early"])
def test_a_body_that_drips_is_cut(peer: tuple[str, int], clock: CountingClock, path: str) -> None:
    client = connected(peer, request("POST", path, 1_000_000))
    for _ in range(3):
        assert not is_cut_after(client, clock, BODY_SECONDS / 4)
    wait_until(lambda: is_cut_after(client, clock, BODY_SECONDS / 4))


def test_a_large_body_that_goes_on_is_not_cut(peer: tuple[str, int], clock: CountingClock) -> None:
    parts = 6
    client = connected(peer, request("POST", "/body", parts * BODY_BYTES))
    for part in range(1, parts):
        client.sendall(bytes(BODY_BYTES))
        wait_until(partial(has_come, part * BODY_BYTES))
        clock.go_on(BODY_SECONDS * 0.9)
    client.sendall(bytes(BODY_BYTES))
    answer = b""
    while not answer.endswith(b"0\r\n\r\n"):
        answer += client.recv(65536)
    assert str(parts * BODY_BYTES).encode() in answer


def test_an_endless_answer_is_not_cut(peer: tuple[str, int], clock: CountingClock) -> None:
    client = connected(peer, request("GET", "/live"))
    wait_until(lambda: b"alive" in client.recv(65536))
    clock.go_on(100_000)
    assert not is_cut(client)
    client.settimeout(TIMEOUT)
    assert b"alive" in client.recv(65536)


def test_a_download_that_is_read_slowly_is_not_cut(
    peer: tuple[str, int], clock: CountingClock
) -> None:
    client = connected(peer, request("GET", "/long"))
    size = 0
    while size < LONG:
        if size // (LONG // 4) > clock.now // READ_SECONDS:
            clock.go_on(READ_SECONDS * 0.9)
        size += len(client.recv(1 << 20))
    assert clock.now > READ_SECONDS


def test_who_reads_nothing_of_an_answer_is_cut(peer: tuple[str, int], clock: CountingClock) -> None:
    client = connected(peer, request("GET", "/long"))
    assert client.recv(1000)
    # Until the buffers are full, the server still gets rid of something: that takes it a few looks.
    for _ in range(10):
        clock.go_on(READ_SECONDS * 1.1)
    size = 0
    try:
        while part := client.recv(1 << 20):
            size += len(part)
    except ConnectionError:
        pass
    assert size < LONG


def test_the_one_that_has_waited_longest_makes_room(clock: CountingClock) -> None:
    with serving(clock, ConnectionLimits(4, 4)) as peer:
        at_work = connected(peer, request("GET", "/live"))
        wait_until(lambda: b"alive" in at_work.recv(65536))
        waiting = []
        for _ in range(3):
            waiting.append(connected(peer, b"GET"))
            clock.go_on(1)
        fifth = connected(peer, request("GET", "/"))
        wait_until(lambda: b"here" in fifth.recv(65536))
        wait_until(lambda: is_cut(waiting[0]))
        assert not is_cut(waiting[1])
        assert not is_cut(waiting[2])
        assert not is_cut(at_work)


def test_where_all_are_at_work_the_next_is_turned_away(clock: CountingClock) -> None:
    with serving(clock, ConnectionLimits(3, 2)) as peer:
        at_work = [connected(peer, request("GET", "/live")) for _ in range(2)]
        wait_until(lambda: all(b"alive" in client.recv(65536) for client in at_work))
        # The place has its share, although there is room for others.
        third = connected(peer)
        wait_until(lambda: is_cut(third))
        assert not any(is_cut(client) for client in at_work)


def test_a_silent_handshake_of_tls_has_the_deadline_and_makes_room(
    clock: CountingClock, tmp_path: Path
) -> None:
    issuer = trustme.CA()
    made = issuer.issue_cert("127.0.0.1")
    made.private_key_and_cert_chain_pem.write_to_path(tmp_path / "page.pem")
    context = ssl.create_default_context()
    issuer.configure_trust(context)
    limits = ConnectionLimits(3, 3)
    with serving(clock, limits, ssl_certfile=tmp_path / "page.pem") as peer:
        silent = [connected(peer) for _ in range(3)]
        with context.wrap_socket(connected(peer), server_hostname="127.0.0.1") as client:
            client.sendall(request("GET", "/"))
            wait_until(lambda: b"here" in client.recv(65536))
        assert is_cut(silent[0])
        clock.go_on(HEAD_SECONDS + 1)
        wait_until(lambda: all(is_cut(each) for each in silent))


class SilentProtocol(asyncio.Protocol):
    """Takes a connection and says nothing."""

    connection: object = None
    all_connections: object = None


async def accept_and_close(turns: int) -> int:
    """Stop accepting so many turns of the loop after a client came. Returns connections left."""
    connections = Connections(MANY)
    protocols: Any = SilentProtocol
    listener = socket.create_server(("127.0.0.1", 0))
    acceptor = Acceptor([listener], connections, protocols, None, lambda _: False)
    acceptor.start(1)
    with socket.create_connection(listener.getsockname(), TIMEOUT):
        for _ in range(turns):
            await asyncio.sleep(0)
        acceptor.close()
        await acceptor.wait_closed()
        await asyncio.sleep(0)
    return len(connections)


def test_a_server_that_stops_while_a_client_comes_closes_its_socket() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        left = [asyncio.run(accept_and_close(turns)) for turns in range(3)]
        gc.collect()
    assert [str(each.message) for each in caught if "socket" in str(each.message)] == []
    # One was cancelled before its first step, none is still counted.
    assert left == [0, 0, 0]


class NoticingProtocol(SilentProtocol):
    """Keeps whether what is written to its socket leaves at once."""

    leaves_at_once: asyncio.Future[bool]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        option = transport.get_extra_info("socket").getsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY
        )
        self.leaves_at_once.set_result(bool(option))


async def accept_one(listener: socket.socket) -> bool:
    """Accept a client. Returns whether what is written to it leaves at once."""
    NoticingProtocol.leaves_at_once = asyncio.get_running_loop().create_future()
    protocols: Any = NoticingProtocol
    acceptor = Acceptor([listener], Connections(MANY), protocols, None, lambda _: False)
    acceptor.start(1)
    with socket.create_connection(listener.getsockname(), TIMEOUT):
        leaves_at_once = await asyncio.wait_for(NoticingProtocol.leaves_at_once, TIMEOUT)
    acceptor.close()
    await acceptor.wait_closed()
    return leaves_at_once


@pytest.mark.parametrize("is_inherited", [False, True], ids=["own", "inherited"])
def test_an_answer_in_two_parts_does_not_wait_for_the_client(is_inherited: bool) -> None:
    [listener] = listen("127.0.0.1", 0)
    if is_inherited:
        [listener] = inherited([listener.detach()])
    assert asyncio.run(accept_one(listener))
