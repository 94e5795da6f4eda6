"""The DICOM listener itself: who is let in, and what is answered (PS3.4 A and B, PS3.8 9)."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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

from ingest.delivery import Inlet
from ingest.receive.contexts import supported_contexts
from ingest.receive.spool import CANNOT_UNDERSTAND, STORED, Spool, SpoolingProvider
from ingest.receive.terms import Terms
from readfirst.errors import Misconfigured

log = structlog.get_logger()
#: Seconds of silence after which a connection is given up, its TLS handshake included.
SILENCE_SECONDS = 60.0
#: Seconds that a caller may take from the connection to its association request.
REQUEST_SECONDS = 15.0
#: Seconds that running associations may take to finish once the listener is told to stop.
FINISH_SECONDS = 8.0
#: PS3.8 9.3.1 allows 4 GiB; none that is called for here is longer than the length that we
#: announce, and none with an association request for every class and syntax is (bytes).
LONGEST_PDU = 1024 * 1024
ANNOUNCED_PDU = 128 * 1024
#: Why an association is rejected, by (source, diagnostic) of PS3.8 9.3.4.
REASONS: dict[tuple[int | None, int | None], str] = {
    (1, 3): "calling AE title unknown",
    (1, 7): "called AE title unknown",
    (3, 2): "as many associations as may be",
}


@contextmanager
def listening(terms: Terms, inlet: Inlet) -> Iterator["Listener"]:
    """A listener at work, for the length of the block; then what is being sent may finish.

    Raises Misconfigured if the port is not free.
    """
    inlet.prepare()
    # The library's own lines hold whole requests; ours say what matters.
    _config.LOG_HANDLER_LEVEL = "none"
    try:
        listener = Listener(terms, inlet)
    except OSError as error:
        raise Misconfigured(
            f"{terms.host}:{terms.port} cannot be listened on: {error.strerror}. "
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
    """Accepts associations on the terms, each in a thread of its own."""

    #: The twenty that come at once must not wait for a second try of their handshake.
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, terms: Terms, inlet: Inlet) -> None:
        self.terms = terms
        self.inlet = inlet
        ae = AE(terms.ae_title)
        ae.require_called_aet = True
        ae.require_calling_aet = list(terms.calling)
        ae.maximum_associations = terms.associations
        ae.maximum_pdu_size = ANNOUNCED_PDU
        ae.network_timeout = SILENCE_SECONDS
        ae.acse_timeout = REQUEST_SECONDS
        super().__init__(
            ae,
            (terms.host, terms.port),
            terms.ae_title,
            supported_contexts(),
            evt_handlers=HANDLERS,
            request_handler=_Handler,
        )

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self.server_address[1])

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Let in whom the terms admit, before a byte is read."""
        admitted = self.terms.admits(client_address[0])
        if not admitted:
            log.warning("refused", action="receive", peer=client_address[0], reason="address")
        return admitted

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Begin an association, by TLS if the terms say so. A thread of its own runs this, so
        that a caller who is slow in the handshake keeps nobody waiting.
        """
        request.settimeout(SILENCE_SECONDS)
        if self.terms.tls is not None:
            try:
                request = self.terms.tls.wrap_socket(request, server_side=True)
            except OSError as error:
                reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
                log.warning("tls_failed", action="receive", peer=client_address[0], error=reason)
                self.shutdown_request(request)
                return
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Say that a connection could not be served; it is closed, the others go on."""
        log.exception("connection_failed", action="receive", peer=client_address[0])

    def close(self) -> None:
        """Take no new association, let those at work finish, abort what does not."""
        BaseServer.shutdown(self)
        self.server_close()
        end = time.monotonic() + FINISH_SECONDS
        while any(one.is_established for one in self.active_associations):
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        for association in self.active_associations:
            association.abort()


class _Socket(AssociationSocket):
    """Reads no PDU that is longer than any honest one."""

    def recv(self, nr_bytes: int) -> bytearray:
        if nr_bytes > LONGEST_PDU:
            raise OSError("a PDU of more bytes than any should have")
        return super().recv(nr_bytes)

    def _shutdown_socket(self) -> None:
        """Close it always: the library does not when its peer has gone before."""
        super()._shutdown_socket()
        if self.socket is not None:
            self.socket.close()


class _Handler(RequestHandler):
    server: Listener

    def handle(self) -> None:
        """Serve one association. Whatever ended it, what was not answered is not kept: its sender
        will send again.
        """
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
        server = self.server
        association.dimse = SpoolingProvider(association, server.inlet, server.terms.most_bytes)
        return association


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
    why = (answer.result_source, answer.diagnostic) if answer else (None, None)
    log.warning("refused", action="receive", reason=REASONS.get(why, "other"), **_caller(event))


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
