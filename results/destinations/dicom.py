"""Destinations of the kind `dicom`: C-STORE as SCU (PS3.4 B)."""

import logging
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from readfirst.destinations.forms import Form
from readfirst.settings.fields import AeTitle, Host
from results.destinations.kind import DestinationKind, SendingFailed
from results.destinations.outgoing import DICOM_FORMS, OutgoingObject
from results.destinations.statuses import check_status
from results.destinations.tls import TlsAddress, client_context

if TYPE_CHECKING:
    from pynetdicom.association import Association

#: Seconds to reach a destination, and for it to answer a request for an association.
CONNECT_SECONDS, ACCEPT_SECONDS = 5.0, 10.0
VERIFICATION = "1.2.840.10008.1.1"
#: Little endian, explicit and implicit: the objects have it, and every destination takes one.
SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
CLASSES = {
    Form.SR: COMPREHENSIVE_SR,
    Form.KOS: "1.2.840.10008.5.1.4.1.1.88.59",
    Form.SC: "1.2.840.10008.5.1.4.1.1.7",
    Form.GSPS: "1.2.840.10008.5.1.4.1.1.11.1",
    Form.VERDICT: COMPREHENSIVE_SR,
}


class DicomAddress(TlsAddress):
    """The address of a Storage SCP."""

    host: Host = Field(description="Name or address of the destination.")
    port: int = Field(ge=1, le=65535, description="Port on which it listens, often 104 or 11112.")
    ae_title: AeTitle = Field(description="AE title of the destination.")
    calling_ae_title: AeTitle = Field(
        "READFIRST", description="AE title that ReadFirst calls itself; the destination knows it."
    )
    tls: bool = Field(False, description="Whether TLS is used.")
    seconds: Annotated[float, Field(ge=1, le=120)] = Field(
        30.0, description="Seconds in which it must answer each request."
    )


class DicomConnection:
    """An association with a destination."""

    def __init__(self, association: "Association", address: DicomAddress) -> None:
        self._association = association
        self._address = address

    def send(self, objects: Sequence[OutgoingObject]) -> str | None:
        """Store each object."""
        for each in objects:
            self._store(each)
        return None

    def _store(self, each: OutgoingObject) -> None:
        dataset = each.dataset
        _check_accepted(self._association, (each.form,))
        try:
            answer = self._association.send_c_store(dataset)
        except RuntimeError as error:
            # The association has ended.
            raise _silent(self._address) from error
        status = answer.get("Status")
        if status is None:
            raise _silent(self._address)
        check_status(int(status), each.form.value)


@contextmanager
def connect(address: DicomAddress) -> Iterator[DicomConnection]:
    """Open an association for the length of the block. Raises SendingFailed."""
    classes = [*dict.fromkeys(CLASSES.values())]
    with _associated(address, classes) as opened:
        yield DicomConnection(opened, address)


def test(address: DicomAddress, forms: Sequence[Form]) -> str:
    """Ask by C-ECHO (PS3.4 A), and for the classes of what is to be sent."""
    classes = dict.fromkeys(CLASSES[form] for form in forms)
    with _associated(address, [VERIFICATION, *classes]) as association:
        if _accepts(association, VERIFICATION):
            try:
                answered = association.send_c_echo().get("Status")
            except RuntimeError as error:
                raise _silent(address) from error
            if answered is None:
                raise _silent(address)
        _check_accepted(association, forms)
    secured = " by TLS" if address.tls else ""
    listed = ", ".join(form.value for form in forms)
    return (
        f"{address.ae_title} answers at {address.host}:{address.port}{secured}, and takes {listed}."
    )


@contextmanager
def _associated(address: DicomAddress, classes: Sequence[str]) -> Iterator["Association"]:
    from pynetdicom import AE, _config

    # The library's own lines hold whole requests; ours say what matters.
    _config.LOG_HANDLER_LEVEL = "none"
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    ae = AE(address.calling_ae_title)
    ae.connection_timeout, ae.acse_timeout = CONNECT_SECONDS, ACCEPT_SECONDS
    ae.dimse_timeout = ae.network_timeout = address.seconds
    for name in classes:
        # A context for each syntax: the destination says of each whether it takes it.
        for syntax in SYNTAXES:
            ae.add_requested_context(name, syntax)
    tls = (client_context(address), address.host) if address.tls else None
    association = ae.associate(address.host, address.port, ae_title=address.ae_title, tls_args=tls)
    if not association.is_established:
        raise SendingFailed(_not_established(association, address))
    try:
        yield association
    finally:
        association.release()


def _not_established(association: "Association", address: DicomAddress) -> str:
    """Why there is no association, in words that say whom to ask."""
    where = f"{address.host}:{address.port}"
    if association.is_rejected:
        answer = association.acceptor.primitive
        reason = answer.reason_str.lower() if answer is not None else "no reason"
        return (
            f"{address.ae_title} at {where} rejects the association: {reason}. It must know "
            f"{address.calling_ae_title}, and be called {address.ae_title}."
        )
    try:
        with socket.create_connection((address.host, address.port), CONNECT_SECONDS) as connection:
            if address.tls:
                client_context(address).wrap_socket(
                    connection, server_hostname=address.host
                ).close()
    except ssl.SSLError as error:
        return f"TLS with {where} fails: {getattr(error, 'verify_message', '') or error.reason}."
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        return (
            f"Nothing answers at {where} ({reason}). Is it running, and lets a firewall us through?"
        )
    return (
        f"{where} ends the association before it began. Is it a DICOM listener, "
        f"{'without' if address.tls else 'with'} TLS?"
    )


def _check_accepted(association: "Association", forms: Sequence[Form]) -> None:
    """Raises SendingFailed where a form's class was not accepted."""
    refused = [form.value for form in forms if not _accepts(association, CLASSES[form])]
    if refused:
        raise SendingFailed(
            f"The destination does not take {', '.join(refused)} (SOP class not accepted). Let it "
            "take that, or take the form off its list.",
            answered=True,
        )


def _accepts(association: "Association", name: str) -> bool:
    return any(context.abstract_syntax == name for context in association.accepted_contexts)


def _silent(address: DicomAddress) -> SendingFailed:
    return SendingFailed(
        f"{address.host}:{address.port} did not answer within {address.seconds:g} s, or hung up."
    )


DICOM = DestinationKind(
    name="dicom",
    title="DICOM (C-STORE)",
    address=DicomAddress,
    forms=DICOM_FORMS,
    connect=connect,
    test=test,
)
