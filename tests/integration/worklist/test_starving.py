"""The page answers however many connections are half open."""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.stack import page_address
from tests.support.waiting import TIMEOUT, wait_until

#: Connections of the crowd, and open files of the page, which are fewer.
CROWD, OPEN_FILES = 1100, 1024
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname="
)


@contextmanager
def many_files(count: int) -> Iterator[None]:
    """Let this process open as many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def few_files_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """`readfirst serve` as a process of few open files, for all crowds: its address, its log."""
    home = tmp_path_factory.mktemp("starving") / "home"
    log = home.parent / "page.log"
    command = [sys.executable, "-m", "readfirst", "serve", "--port", "0"]
    environment = os.environ | {"READFIRST_HOME": str(home)}

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))

    with log.open("wb") as lines:
        page = subprocess.Popen(
            command, env=environment, stdout=lines, stderr=lines, preexec_fn=few_files
        )
    try:
        address = page_address(log)
        wait_until(lambda: status(address) == 200)
        yield address, log
    finally:
        page.terminate()
        page.wait(TIMEOUT)


def status(address: str) -> int | None:
    try:
        with urlopen(f"{address}/healthz", timeout=TIMEOUT) as answer:
            return int(answer.status)
    except OSError:
        return None


def peer_of(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("http://").partition(":")
    return host, int(port)


def half_request(address: str, begin: bytes) -> socket.socket:
    client = socket.create_connection(peer_of(address), timeout=TIMEOUT)
    client.sendall(begin)
    return client


def close_all(clients: list[socket.socket]) -> None:
    for client in clients:
        client.close()


def drip(address: str, clients: list[socket.socket], stop: threading.Event) -> None:
    """Send each of them a byte now and then, and connect again in place of those that are gone."""
    while not stop.wait(1.0):
        for number, client in enumerate(clients):
            try:
                client.sendall(b"x")
            except OSError:
                client.close()
                with suppress(OSError):
                    clients[number] = half_request(address, HEAD)


@pytest.mark.parametrize("begin", [b"", HEAD, BODY], ids=["nothing", "half a head", "half a body"])
def test_a_crowd_of_half_requests_keeps_nobody_out(
    few_files_page: tuple[str, Path], begin: bytes
) -> None:
    address, log = few_files_page
    with ExitStack() as stack:
        stack.enter_context(many_files(CROWD + 200))
        clients = [half_request(address, begin) for _ in range(CROWD)]
        stop = threading.Event()
        dripping = threading.Thread(target=drip, args=(address, clients, stop))
        dripping.start()
        stack.callback(close_all, clients)
        stack.callback(dripping.join)
        stack.callback(stop.set)
        for _ in range(5):
            began = time.monotonic()
            assert status(address) == 200
            # On an idle machine it is a few milliseconds, and at most one second.
            assert time.monotonic() - began < 20
        assert log.stat().st_size < 100_000, log.read_text()[-2000:]
