"""The connections of the page: how many there may be, and which has to go.

A connection waits for its client while a request has not come whole, while nothing is asked, and
while an answer is not read. Only then it can be ended: to make room for another, the one that has
waited longest first, or when its time is over. Whoever drips bytes gains nothing, since a clock
starts anew only when much has come. A connection whose request is worked on, as a stream of events
or a download that is read, is never ended here.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

#: Seconds from the connection to a whole head of a request, the handshake of TLS included, and
#: from one answer to the next head.
HEAD_SECONDS = 15.0
#: Seconds in which a body must end, or bring so many bytes more (of an upload: 16 KiB/30 s).
BODY_SECONDS, BODY_BYTES = 30.0, 16 * 1024
#: Seconds after which a client that takes nothing of its answer is given up. The kernel holds some
#: MiB back, so that a slow one is seen to take something only now and then.
READ_SECONDS = 300.0


class Waits(Enum):
    """The thing that a connection waits for, with the seconds that it may take."""

    HEAD = HEAD_SECONDS
    BODY = BODY_SECONDS
    READER = READ_SECONDS


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The most connections: in all, and of one network that does not stand for many."""

    most: int
    most_of_network: int


class Connection:
    """A connection, known from before its handshake to its end. end: closes it at once."""

    __slots__ = ("end", "network", "since", "waits")

    def __init__(self, network: str, end: Callable[[], object], now: float) -> None:
        self.network = network
        self.end = end
        self.waits: Waits | None = Waits.HEAD
        self.since = now


class Connections:
    """All connections of one server. clock: seconds, as `time.monotonic` gives them."""

    def __init__(
        self, limits: ConnectionLimits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._networks: Counter[str] = Counter()
        self._busy: set[Connection] = set()
        #: The one that has waited longest stands first.
        self._waiting: OrderedDict[Connection, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._busy) + len(self._waiting)

    def admit(
        self, network: str, end: Callable[[], object], *, alone: bool = True
    ) -> Connection | None:
        """Take a new connection in, if need be instead of one that waits. None: there is no room.

        alone: False for a network that stands for many, as a proxy. Any other that has its share
        makes room by its own connections only.
        """
        if alone and self._networks[network] >= self._limits.most_of_network:
            if not self._end_longest_waiting(network):
                return None
        elif len(self) >= self._limits.most and not self._end_longest_waiting():
            return None
        connection = Connection(network, end, self._clock())
        self._networks[network] += 1
        self._waiting[connection] = None
        return connection

    def wait(self, connection: Connection, waits: Waits) -> None:
        """Note that it waits for its client, from now on."""
        if self._forget(connection):
            connection.waits, connection.since = waits, self._clock()
            self._waiting[connection] = None

    def work(self, connection: Connection) -> None:
        """Note that its client waits for us."""
        if connection.waits is not None and self._forget(connection):
            connection.waits = None
            self._busy.add(connection)

    def remove(self, connection: Connection) -> None:
        """Note that it has ended."""
        if self._forget(connection):
            self._networks[connection.network] -= 1
            if not self._networks[connection.network]:
                del self._networks[connection.network]

    def end_overdue(self) -> int:
        """End those whose clients took too long. Returns their number."""
        now = self._clock()
        overdue = [
            connection
            for connection in self._waiting
            if connection.waits is not None and now - connection.since > connection.waits.value
        ]
        for connection in overdue:
            self._end(connection)
        return len(overdue)

    def _end_longest_waiting(self, network: str | None = None) -> bool:
        waiting = (each for each in self._waiting if network is None or each.network == network)
        connection = next(waiting, None)
        if connection is not None:
            self._end(connection)
        return connection is not None

    def _end(self, connection: Connection) -> None:
        self.remove(connection)
        connection.end()

    def _forget(self, connection: Connection) -> bool:
        """Take it off the lists. False if it was on none, as one that has been ended."""
        if connection in self._busy:
            self._busy.remove(connection)
            return True
        return self._waiting.pop(connection, connection) is None
