"""The connection of an association that we open, and why there is none."""

import logging
import socket
import ssl
import sys
from typing import Any

from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AssociationSocket

#: PS3.8 9.3.4: for good, and for now.
REJECTED = (1, 2)


class ClientAE(AE):
    """An application entity that calls others: what it sends leaves at once, and a connection says
    why it failed.
    """

    _connection: AssociationSocket | None = None

    def __init__(self, ae_title: str) -> None:
        super().__init__(ae_title)
        # The library's own lines hold whole identifiers, with patients; ours say what matters.
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)

    def associate(self, *arguments: Any, **options: Any) -> Association:
        """Ask for an association, as the library does, and know a rejection however soon it came.

        The library takes it for a connection that was not made where the peer has rejected and
        closed before its own thread looks.
        """
        association = super().associate(*arguments, **options)
        answer = association.dul.peek_next_pdu()
        if isinstance(answer, A_ASSOCIATE) and answer.result in REJECTED:
            association.acceptor.primitive = answer
            association.is_rejected, association.is_aborted = True, False
        return association

    def _create_socket(self, *arguments: Any, **options: Any) -> AssociationSocket:
        connection = super()._create_socket(*arguments, **options)
        # The library makes the socket itself and has no place to say of which class.
        connection.__class__ = _ClientSocket
        if connection.socket is not None:
            # A message comes as a command and its data, in two parts (PS3.8 E.1): else the second
            # waits up to 40 ms for the peer to acknowledge the first.
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        return connection

    def connection_fault(self) -> str | None:
        """Say why the last connection was not made; None if it was."""
        connection = self._connection
        fault = connection.fault if isinstance(connection, _ClientSocket) else None
        return None if fault is None else _sentence(fault)


class _ClientSocket(AssociationSocket):
    """Closes its socket always, and keeps the error by which it was not connected."""

    fault: BaseException | None = None

    def _shutdown_socket(self) -> None:
        self.fault = self.fault or sys.exception()
        super()._shutdown_socket()
        if self.socket is not None:
            self.socket.close()


def _sentence(fault: BaseException) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted here ({fault.verify_message}); see --tls-ca."
    if isinstance(fault, ssl.SSLError):
        return "it does not speak TLS as it is set up here."
    if isinstance(fault, ConnectionRefusedError):
        return "it cannot be reached: nothing listens at this port."
    if isinstance(fault, TimeoutError):
        return "it cannot be reached: no answer in time."
    if isinstance(fault, socket.gaierror):
        return "it cannot be reached: nobody knows this name."
    reason = getattr(fault, "strerror", None) or type(fault).__name__
    return f"it cannot be reached: {reason}."
