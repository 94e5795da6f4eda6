"""The connections that we open to peers of DICOM."""

import socket
from typing import Any

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.transport import ThreadedAssociationServer

from readfirst.pacs.connecting import ClientAE

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
