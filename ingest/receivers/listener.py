"""The DICOM listener itself: who is let in, and what is answered (PS3.4 A and B, PS3.8 9)."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseServer
from typing import Any, cast

import structlog
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.transport import (
    AssociationSocket,
    RequestHandler,
    ThreadedAssociationServer,
)

from ingest.inbox.inbox_writer import InboxWriter
from ingest.receivers.contexts import supported_contexts
from ingest.receivers.listener_config import ListenerConfig
from ingest.receivers.request_reader import REQUEST_SECONDS, RequestReader
from ingest.receivers.spool import CANNOT_UNDERSTAND, STORED, Spool, SpoolingProvider
from readfirst.destinations.commitment import PROCESSING_FAILURE, CommitmentReport, report_of
from readfirst.errors import Misconfigured

log = structlog.get_logger()
#: Seconds after which an association is given up that is silent, or whose next PDU is not whole.
SILENCE_SECONDS = 60.0
#: Seconds after which an association that sends nothing makes room, where there are too many.
QUIET_SECONDS = 10.0
#: Seconds that one which makes room may take to end.
LEAVE_SECONDS = 5.0
#: Callers beside the associations that may be, who are just being turned away.
MOST_TURNED_AWAY = 16
#: A-ASSOCIATE-RJ (PS3.8 9.3.4): for now, by the presentation layer, local limit exceeded.
TOO_MANY = bytes.fromhex("03 00 00000004 00 02 03 02")
#: Seconds that running associations may take to finish once the listener is told to stop.
FINISH_SECONDS = 8.0
#: PS3.8 9.3.1 allows 4 GiB; none that is called for here is longer than the length that we
#: announce, and none with an association request for every class and syntax is (bytes).
LONGEST_PDU = 1024 * 1024
CHUNK = 65536
ANNOUNCED_PDU = 128 * 1024
#: Why an association is rejected, by (source, diagnostic) of PS3.8 9.3.4.
REASONS: dict[tuple[int | None, int | None], str] = {
    (1, 3): "calling AE title unknown",
    (1, 7): "called AE title unknown",
    (3, 2): "as many associations as may be",
}


#: Takes an answer of storage commitment; False for one that nobody waits for.
TakesCommitment = Callable[[CommitmentReport], bool]


@contextmanager
def listening(
    config: ListenerConfig,
    inbox_writer: InboxWriter,
    take_commitment: TakesCommitment = lambda _: False,
) -> Iterator["Listener"]:
    """A listener at work, for the length of the block; then what is being sent may finish.

    take_commitment: of what was sent to those who call. Raises Misconfigured if the port is not
    free.
    """
    inbox_writer.prepare()
    # The library's own lines hold whole requests; ours say what matters.
    _config.LOG_HANDLER_LEVEL = "none"
    try:
        listener = Listener(config, inbox_writer, take_commitment)
    except OSError as error:
        raise Misconfigured(
            f"{config.host}:{config.port} cannot be listened on: {error.strerror}. "
            "Set READFIRST_RECEIVE_HOST and READFIRST_RECEIVE_PORT."
        ) from error
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.2})
    thread.start()
    try:
        yield listener
    finally:
        listener.close()
        thread.join()


class Listener(ThreadedAssociationServer):
    """Accepts associations as its configuration says, each in a thread of its own, once it is
    asked for: until then all callers share one thread (`RequestReader`).
    """

    #: The twenty that come at once must not wait for a second try of their handshake.
    request_queue_size = 128

    def __init__(
        self,
        config: ListenerConfig,
        inbox_writer: InboxWriter,
        take_commitment: TakesCommitment = lambda _: False,
    ) -> None:
        self.config = config
        self.inbox_writer = inbox_writer
        self._places = threading.BoundedSemaphore(config.associations + MOST_TURNED_AWAY)
        self._making_room = threading.Lock()
        ae = AE(config.ae_title)
        ae.require_called_aet = True
        ae.require_calling_aet = list(config.calling)
        ae.maximum_associations = config.associations
        ae.maximum_pdu_size = ANNOUNCED_PDU
        ae.network_timeout = SILENCE_SECONDS
        ae.acse_timeout = REQUEST_SECONDS
        super().__init__(
            ae,
            (config.host, config.port),
            config.ae_title,
            supported_contexts(),
            evt_handlers=[*HANDLERS, (evt.EVT_N_EVENT_REPORT, _committed, [take_commitment])],
            request_handler=_Handler,
        )
        self._requests = RequestReader(self._begin, config.tls)

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self.server_address[1])

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Let in whom the configuration admits, before a byte is read."""
        admitted = self.config.admits(client_address[0])
        if not admitted:
            log.warning("refused", action="receive", peer=client_address[0], reason="address")
        return admitted

    def get_request(self) -> Any:
        """Accept a connection. Where none can be, nothing spins until one can."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.1)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let a caller ask for an association; whoever is slow in it keeps nobody waiting."""
        self._requests.add(request, client_address)

    def make_room(self) -> None:
        """End the association that has sent nothing for longest, if there is no room for another.

        What its sender has no answer for, it sends again.
        """
        with self._making_room:
            running = [each for each in self.active_associations if each.is_alive()]
            if len(running) < self.config.associations:
                return
            latest = time.monotonic() - QUIET_SECONDS
            quiet = {each: _quiet_since(each) for each in running if each.is_established}
            longest = min(quiet, key=lambda each: quiet[each], default=None)
            if longest is None or quiet[longest] > latest:
                return
            log.warning("made_room", action="receive", peer=str(longest.requestor.address))
            _hang_up(longest)
            longest.join(LEAVE_SECONDS)

    def _begin(self, request: socket.socket, address: Any, first: bytes) -> None:
        """Answer a caller's request in a thread of its own, if there may be one more."""
        request.settimeout(SILENCE_SECONDS)
        if not self._places.acquire(blocking=False):
            log.warning("refused", action="receive", peer=address[0], reason=REASONS[(3, 2)])
            with suppress(OSError):
                request.send(TOO_MANY)
            request.close()
            return
        threading.Thread(target=self._serve, args=(request, address, first), daemon=True).start()

    def _serve(self, request: socket.socket, address: Any, first: bytes) -> None:
        try:
            _Handler(request, address, self, first)
        except Exception:
            # Whatever it is, the others go on.
            self.handle_error(request, address)
        finally:
            self.shutdown_request(request)
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Say that a connection could not be served; it is closed, the others go on."""
        log.exception("connection_failed", action="receive", peer=client_address[0])

    def close(self) -> None:
        """Take no new association, let those at work finish, abort what does not."""
        BaseServer.shutdown(self)
        self.server_close()
        self._requests.close()
        end = time.monotonic() + FINISH_SECONDS
        while any(association.is_established for association in self.active_associations):
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        for association in self.active_associations:
            association.abort()


class _Socket(AssociationSocket):
    """Reads no PDU that is longer than any honest one, nor one that does not come to its end."""

    #: What was read of the connection before.
    read_ahead = b""

    @property
    def ready(self) -> bool:
        return bool(self.read_ahead) or super().ready

    def recv(self, nr_bytes: int) -> bytearray:
        if nr_bytes > LONGEST_PDU:
            raise OSError("a PDU of more bytes than any should have")
        content = bytearray(self.read_ahead[:nr_bytes])
        self.read_ahead = self.read_ahead[nr_bytes:]
        if len(content) < nr_bytes and self.socket is not None:
            try:
                self._receive(self.socket, content, nr_bytes)
            finally:
                self.socket.settimeout(SILENCE_SECONDS)
        return content

    def _receive(self, connection: socket.socket, content: bytearray, nr_bytes: int) -> None:
        """Add what is missing; each byte of a PDU has the same end, however they drip."""
        end = time.monotonic() + SILENCE_SECONDS
        while len(content) < nr_bytes:
            connection.settimeout(max(0.001, end - time.monotonic()))
            received = connection.recv(min(nr_bytes - len(content), CHUNK))
            if not received:
                return
            content += received

    def _shutdown_socket(self) -> None:
        """Close it always: the library does not when its peer has gone before."""
        super()._shutdown_socket()
        if self.socket is not None:
            self.socket.close()


class _Handler(RequestHandler):
    server: Listener

    def __init__(
        self, request: socket.socket, address: Any, server: Listener, first: bytes
    ) -> None:
        self._first = first
        super().__init__(request, address, server)

    def handle(self) -> None:
        """Serve one association. Whatever ended it, what was not answered is not kept: its sender
        will send again.
        """
        self.server.make_room()
        association = self._create_association()
        association.start()
        association.join()
        association.dul.join()
        if isinstance(association.dimse, SpoolingProvider):
            association.dimse.discard_rest()

    def _create_association(self) -> Association:
        association = super()._create_association()
        if isinstance(association.dul.socket, AssociationSocket):
            # The library makes the socket itself and has no place to say of which class.
            association.dul.socket.__class__ = _Socket
            association.dul.socket.read_ahead = self._first  # type: ignore[attr-defined]
        server = self.server
        association.dimse = SpoolingProvider(
            association, server.inbox_writer, server.config.most_bytes
        )
        return association


def _quiet_since(association: Association) -> float:
    """The time since which an association has sent no whole PDU of data."""
    provider = association.dimse
    return provider.quiet_since if isinstance(provider, SpoolingProvider) else time.monotonic()


def _hang_up(association: Association) -> None:
    """Close its connection: a thread that reads byte after byte of it would see nothing else."""
    connection = association.dul.socket
    if connection is not None and connection.socket is not None:
        with suppress(OSError):
            connection.socket.shutdown(socket.SHUT_RDWR)


def _store(event: evt.Event) -> int:
    """C-STORE (PS3.4 B.2): the file is in the inbox, on disk, before this is answered."""
    request = cast(C_STORE, event.request)
    spool = request.DataSet
    status = spool.deliver() if isinstance(spool, Spool) else CANNOT_UNDERSTAND
    say = log.info if status == STORED else log.warning
    say(
        "stored" if status == STORED else "not_stored",
        action="receive",
        status=f"{status:#06x}",
        bytes=spool.received if isinstance(spool, Spool) else 0,
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        **_caller(event),
    )
    return status


def _echo(event: evt.Event) -> int:
    """C-ECHO (PS3.4 A.4): yes, it works."""
    log.info("echo", action="receive", **_caller(event))
    return STORED


def _committed(event: evt.Event, take_commitment: TakesCommitment) -> tuple[int, None]:
    """N-EVENT-REPORT of storage commitment (PS3.4 J.3.3): noted before this is answered."""
    try:
        report = report_of(event.event_information)
    except Exception:
        # Whatever a foreign data set may bring about.
        report = None
    taken = report is not None and take_commitment(report)
    log.info("commitment", action="receive", taken=taken, **_caller(event))
    return (STORED if taken else PROCESSING_FAILURE), None


def _requested(event: evt.Event) -> None:
    """Take of each class the syntax that the sender names first: what it need not recode."""
    request = event.assoc.requestor.primitive
    proposed = request.presentation_context_definition_list if request else []
    for context in event.assoc.acceptor.supported_contexts:
        order: dict[str, int] = {}
        for offer in proposed:
            if offer.abstract_syntax == context.abstract_syntax:
                for syntax in offer.transfer_syntax:
                    order.setdefault(syntax, len(order))
        context.transfer_syntax.sort(key=lambda syntax: order.get(syntax, len(order)))


def _accepted(event: evt.Event) -> None:
    contexts = len(event.assoc.accepted_contexts)
    log.info("association", action="receive", contexts=contexts, **_caller(event))


def _rejected(event: evt.Event) -> None:
    answer = event.assoc.acceptor.primitive
    cause = (answer.result_source, answer.diagnostic) if answer else (None, None)
    log.warning("refused", action="receive", reason=REASONS.get(cause, "other"), **_caller(event))


def _aborted(event: evt.Event) -> None:
    log.warning("aborted", action="receive", **_caller(event))


def _caller(event: evt.Event) -> dict[str, str]:
    requestor = event.assoc.requestor
    return {"calling": requestor.ae_title.strip(), "peer": str(requestor.address)}


HANDLERS: list[evt.EventHandlerType] = [
    (evt.EVT_C_STORE, _store),
    (evt.EVT_C_ECHO, _echo),
    (evt.EVT_REQUESTED, _requested),
    (evt.EVT_ACCEPTED, _accepted),
    (evt.EVT_REJECTED, _rejected),
    (evt.EVT_ABORTED, _aborted),
]
