"""Valkey as commands and `up` ask it: once."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from readfirst.settings import Settings
from readfirst.tasks.broker import answers, broker_answers


@contextmanager
def a_server_that_hangs_up(path: Path) -> Iterator[list[bytes]]:
    """The first words of each connection, which is then closed, as by a server that ends."""
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(1024))

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield heard
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_server_that_hangs_up_is_not_asked_again(tmp_path: Path) -> None:
    """The client by itself would ask for seconds: at each start, and each time that `up` ends."""
    with a_server_that_hangs_up(tmp_path / "s") as heard:
        assert not answers(tmp_path / "s")
    assert len(heard) == 1


def test_a_site_s_broker_is_asked_once_too(tmp_path: Path) -> None:
    url = SecretStr(f"redis+socket://{tmp_path / 's'}")
    with a_server_that_hangs_up(tmp_path / "s") as heard:
        assert not broker_answers(Settings(home=tmp_path, broker_url=url))
    assert len(heard) == 1


def test_where_no_server_is_none_answers(tmp_path: Path) -> None:
    assert not answers(tmp_path / "none")
