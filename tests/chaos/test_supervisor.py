"""A process that cannot be started again at once is tried again, and all else goes on."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
import structlog

from cli.checks.work import check_broker
from cli.page_sockets import listen, port_of
from cli.status import StatusDisplay, page_address
from cli.supervisor import Restarts, StackProcess, Supervisor, is_up, running
from readfirst.errors import Misconfigured, Unavailable
from readfirst.settings import Settings
from tests.support.waiting import TIMEOUT, wait_until


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A broker and a process that ends as soon as it has begun, neither of which waits for long."""
    monkeypatch.setattr("cli.supervisor.LONGEST_PAUSE", 0.5)
    supervisor = Supervisor(Settings(home=tmp_path / "home"))
    supervisor.processes = [StackProcess("version", ["--version"])]
    supervisor.start()
    yield supervisor
    supervisor.stop()


@contextmanager
def blocked(folder: Path) -> Iterator[None]:
    """A folder in whose place there is a file: root too can write nothing into it."""
    moved = folder.with_name("moved")
    folder.rename(moved)
    folder.touch()
    yield
    folder.unlink()
    moved.rename(folder)


def kill_valkey() -> None:
    (server,) = (p for p in psutil.Process().children() if "valkey" in p.name())
    server.kill()
    server.wait(TIMEOUT)


def restart_until(supervisor: Supervisor, *, fault: str | None = None, starts: int = 0) -> None:
    """Restart what died until each began so often, and this cannot be started, or all can."""

    def is_so() -> bool:
        supervisor.restart_dead()
        began = all(process.starts >= starts for process in supervisor.processes)
        return began and (fault in supervisor.faults if fault else not supervisor.faults)

    wait_until(is_so, pause=0.1, detail=lambda: supervisor.faults)


def test_a_broker_that_cannot_start_is_tried_again_and_the_processes_go_on(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    valkey = supervisor.settings.home_path / "valkey"
    with structlog.testing.capture_logs() as lines:
        with blocked(valkey):
            kill_valkey()
            restart_until(supervisor, fault="broker")
            assert "The embedded Valkey did not start" in supervisor.faults["broker"]
            starts = supervisor.processes[0].starts
            restart_until(supervisor, fault="broker", starts=starts + 1)
            with StatusDisplay(supervisor) as display:
                display.refresh()
            assert "Not running: broker: The embedded Valkey did" in capsys.readouterr().err
        restart_until(supervisor)
    events = [(line["event"], line["part"]) for line in lines]
    assert events == [("part_not_started", "broker"), ("part_started_again", "broker")]


def test_a_process_that_cannot_start_is_tried_again(supervisor: Supervisor) -> None:
    with structlog.testing.capture_logs() as lines:
        with blocked(supervisor.settings.home_path / "logs"):
            restart_until(supervisor, fault="version")
            starts = supervisor.processes[0].starts
        restart_until(supervisor, starts=starts + 1)
    events = [(line["event"], line["part"]) for line in lines]
    assert events == [("part_not_started", "version"), ("part_started_again", "version")]


def test_the_doctor_knows_that_up_tries_to_start_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", port=0)
    assert "Start it with `readfirst up`" in check_broker(settings).advice
    monkeypatch.setattr(Supervisor, "__post_init__", only_a_broker)
    with running(settings):
        assert is_up(settings.home_path)
        with pytest.raises(Misconfigured, match="is already running"), running(settings):
            pass
        assert check_broker(settings).well
        kill_valkey()
        assert "tries again and again" in check_broker(settings).advice
    assert not is_up(settings.home_path)


def only_a_broker(supervisor: Supervisor) -> None:
    from readfirst.tasks.broker import EmbeddedBroker

    supervisor.broker, supervisor.processes = EmbeddedBroker(supervisor.settings), []


def test_the_page_keeps_its_port_while_it_starts_again(tmp_path: Path) -> None:
    (listener,) = listen("127.0.0.1", 0)
    settings = Settings(home=tmp_path / "home", port=port_of([listener]))
    supervisor = Supervisor(settings, page_sockets=[listener])
    supervisor.broker, supervisor.processes = None, supervisor.processes[:1]
    health = page_address(settings) + "healthz"
    with listener:
        supervisor.start()
        try:
            urlopen(health, timeout=TIMEOUT).close()
            server = supervisor.processes[0].popen
            assert server is not None
            server.kill()
            server.wait(TIMEOUT)
            with pytest.raises(Misconfigured, match="is not free"):
                listen(settings.host, settings.port)
            with ThreadPoolExecutor() as threads:
                answer = threads.submit(urlopen, health, timeout=TIMEOUT)
                restart_until(supervisor, starts=2)
                answer.result().close()
        finally:
            supervisor.stop()


def test_a_name_is_listened_on_at_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = (socket.SOCK_STREAM, 0, "")
    hosts = ("127.0.0.1", "0.0.0.0", "127.0.0.1")
    addresses = [(socket.AF_INET, *stream, (host, 0)) for host in hosts]
    monkeypatch.setattr("cli.page_sockets.socket.getaddrinfo", lambda *_, **__: addresses)
    sockets = listen("reading.example", 8080)
    assert [listener.getsockname()[0] for listener in sockets] == ["127.0.0.1", "0.0.0.0"]
    for listener in sockets:
        listener.close()


def test_what_cannot_start_waits_longer_each_time_until_it_has_run_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, tries = 1000.0, []
    monkeypatch.setattr("cli.supervisor.time.monotonic", lambda: now)
    restarts = Restarts(tried_at=now)

    def fail() -> None:
        tries.append(now)
        raise Unavailable("no room")

    for _ in range(300):
        now += 1
        restarts.try_again("broker", fail)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert 30 <= pauses[-1] <= 31
    for _ in range(40):
        now += 1
        restarts.running("broker")
    now += 1
    restarts.try_again("broker", fail)
    assert tries[-1] == now, "at once, as after the first death"
