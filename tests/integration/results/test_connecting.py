"""The connections that we open to peers of DICOM."""

import socket
from typing import Any

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.transport import ThreadedAssociationServer

from readfirst.pacs.connecting import ClientAE
from tests.support.waiting import wait_until

VERIFICATION = "1.2.840.10008.1.1"


def leaves_at_once(association: Association) -> bool:
    connection: Any = association.dul.socket
    return bool(connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_the_second_part_of_a_message_does_not_wait_for_the_peer() -> None:
    peer, client = AE("PEER"), ClientAE("READFIRST")
    peer.add_supported_context(VERIFICATION)
    client.add_requested_context(VERIFICATION)
    server = peer.start_server(("127.0.0.1", 0), block=False)
    assert isinstance(server, ThreadedAssociationServer)
    try:
        association = client.associate(*server.server_address)
        assert leaves_at_once(association)
        association.release()
    finally:
        server.shutdown()


def test_a_rejection_is_known_though_the_peer_has_closed_before_anybody_looked() -> None:
    peer, client = AE("PEER"), ClientAE("READFIRST")
    peer.add_supported_context(VERIFICATION)
    peer.require_called_aet = True
    client.add_requested_context(VERIFICATION)

    def look_late(event: evt.Event) -> None:
        connection: Any = event.assoc.dul.socket
        assert connection._ready.wait(60)
        wait_until(lambda: not connection._is_connected)

    server = peer.start_server(("127.0.0.1", 0), block=False)
    assert isinstance(server, ThreadedAssociationServer)
    try:
        association = client.associate(
            *server.server_address,
            ae_title="ANOTHER",
            evt_handlers=[(evt.EVT_REQUESTED, look_late)],
        )
    finally:
        server.shutdown()
    assert (association.is_rejected, association.is_aborted) == (True, False)
    answer = association.acceptor.primitive
    assert answer is not None
    assert answer.reason_str == "Called AE title not recognised"
