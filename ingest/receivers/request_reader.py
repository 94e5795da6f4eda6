"""Association requests are read in one thread, before a caller gets threads of its own.

Whoever is silent or sends byte by byte has one deadline for the whole request, its handshake of TLS
included. There are only so many who have not asked yet, in all and of one network; the one that has
waited longest makes room.
"""

import queue
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from readfirst.access.addresses import network_of

log = structlog.get_logger()
#: Seconds that a caller may take from the connection to the end of its association request.
REQUEST_SECONDS = 15.0
#: Callers that have not asked yet, in all and of one network.
MOST_CALLERS, MOST_OF_NETWORK = 128, 64
#: Bytes of an association request. One for every class and syntax is far shorter.
LONGEST_REQUEST = 512 * 1024
#: Type and length stand in the first bytes of a PDU (PS3.8 9.3.1).
PDU_HEADER = struct.Struct(">BxL")
ASSOCIATION_REQUEST = 0x01
#: A-ABORT (PS3.8 9.3.8) by the service provider, of a PDU that is not expected.
ABORT = bytes.fromhex("07 00 00000004 0000 02 02")
CHUNK = 65536
LOOK_SECONDS = 0.2


@dataclass(slots=True, eq=False)
class Caller:
    """A caller that has not asked yet. deadline: as `time.monotonic` gives it."""

    socket: socket.socket
    address: Any
    network: str
    deadline: float
    handshaking: bool
    request: bytearray = field(default_factory=bytearray)


class RequestReader:
    """Reads the requests of callers, and hands them on with their sockets.

    hand_on: takes a caller's socket, address and request; it must not block. tls: None for plain
    TCP.
    """

    def __init__(
        self,
        hand_on: Callable[[socket.socket, Any, bytes], None],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._hand_on = hand_on
        self._tls = tls
        self._new: queue.SimpleQueue[Caller] = queue.SimpleQueue()
        #: In the order in which they came.
        self._callers: list[Caller] = []
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="association-requests", daemon=True)
        self._thread.start()

    def add(self, request: socket.socket, address: Any) -> None:
        """Begin to read a caller's request."""
        request.setblocking(False)
        if self._tls is not None:
            request = self._tls.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
        deadline = time.monotonic() + REQUEST_SECONDS
        network, has_tls = network_of(address[0]), self._tls is not None
        self._new.put(Caller(request, address, network, deadline, has_tls))
        self._awake()

    def close(self) -> None:
        """Read no more, and part with those who have not asked."""
        self._stopped.set()
        self._awake()
        self._thread.join()
        # Not by the thread: it may see that it is to end before it is woken.
        for each in (self._woken, self._wake, self._selector):
            each.close()

    def _awake(self) -> None:
        try:
            self._wake.send(b"x")
        except BlockingIOError:
            # It is awake already.
            return

    def _run(self) -> None:
        while not self._stopped.is_set():
            for key, _ in self._selector.select(LOOK_SECONDS):
                if key.data is None:
                    self._woken.recv(CHUNK)
                else:
                    self._go_on(key.data)
            while not self._new.empty():
                self._take(self._new.get())
            self._end_overdue()
        for caller in list(self._callers):
            self._drop(caller)

    def _take(self, caller: Caller) -> None:
        same_network = [other for other in self._callers if other.network == caller.network]
        if len(same_network) >= MOST_OF_NETWORK:
            self._drop(same_network[0])
        elif len(self._callers) >= MOST_CALLERS:
            self._drop(self._callers[0])
        self._callers.append(caller)
        self._selector.register(caller.socket, selectors.EVENT_READ, caller)
        self._go_on(caller)

    def _go_on(self, caller: Caller) -> None:
        """Read what there is; hand the caller on when its request is whole."""
        try:
            if caller.handshaking:
                caller.socket.do_handshake()  # type: ignore[attr-defined]
                caller.handshaking = False
                self._selector.modify(caller.socket, selectors.EVENT_READ, caller)
            is_whole = self._read(caller)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except ssl.SSLWantWriteError:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.modify(caller.socket, both, caller)
            return
        except OSError as error:
            if caller.handshaking:
                reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
                log.warning("tls_failed", action="receive", peer=caller.address[0], error=reason)
            self._drop(caller)
            return
        if is_whole:
            self._leave(caller)
            self._hand_on(caller.socket, caller.address, bytes(caller.request))
        else:
            self._drop(caller)

    def _read(self, caller: Caller) -> bool:
        """Read up to the end of the request, and no further. False for no request, or none to come.

        Raises OSError while there is no more to read.
        """
        while missing := _missing(caller.request):
            content = caller.socket.recv(min(missing, CHUNK))
            if not content:
                return False
            caller.request += content
            if caller.request[0] != ASSOCIATION_REQUEST:
                caller.socket.send(ABORT)
                return False
            if _missing(caller.request) > LONGEST_REQUEST:
                return False
        return True

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for caller in [caller for caller in self._callers if caller.deadline < now]:
            log.warning("no_request", action="receive", peer=caller.address[0])
            self._drop(caller)

    def _leave(self, caller: Caller) -> None:
        self._callers.remove(caller)
        self._selector.unregister(caller.socket)

    def _drop(self, caller: Caller) -> None:
        self._leave(caller)
        caller.socket.close()


def _missing(request: bytes | bytearray) -> int:
    """The number of bytes up to the end of the PDU, or of its header while that is not there."""
    if len(request) < PDU_HEADER.size:
        return PDU_HEADER.size - len(request)
    _, length = PDU_HEADER.unpack_from(request)
    return int(PDU_HEADER.size + length - len(request))
