"""Destinations of the kind `dicom`: C-STORE and storage commitment as SCU (PS3.4 B, J)."""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from readfirst.destinations.commitment import (
    COMMITMENT_INSTANCE,
    PROCESSING_FAILURE,
    STORAGE_COMMITMENT,
    CommitmentReport,
    Receipt,
    report_of,
)
from readfirst.destinations.forms import Form
from readfirst.language.texts import gettext
from readfirst.settings.fields import AeTitle, Host
from results.destinations.kind import DestinationKind, SendingFailed
from results.destinations.outgoing import DICOM_FORMS, OutgoingObject
from results.destinations.statuses import SUCCESS, check_status
from results.destinations.tls import TlsAddress, client_context, tls_fault
from results.destinations.unreachable import nothing_answers

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association
    from pynetdicom.events import Event

#: Seconds to reach a destination, and for it to answer a request for an association.
CONNECT_SECONDS, ACCEPT_SECONDS = 5.0, 10.0
VERIFICATION = "1.2.840.10008.1.1"
#: The action of storage commitment (PS3.4 J.3.2), and the seconds in which those may answer who
#: answer by the same association; others call the listener.
REQUEST_COMMITMENT, SAME_ASSOCIATION_SECONDS = 1, 1.0
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
    commitment: bool = Field(
        False,
        description="Whether the destination is asked to promise to keep what it took (storage "
        "commitment). It answers ReadFirst's DICOM listener, or at once.",
    )
    seconds: Annotated[float, Field(ge=1, le=120)] = Field(
        30.0, description="Seconds in which it must answer each request."
    )

    @property
    def where(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


class DicomConnection:
    """An association with a destination."""

    def __init__(
        self, association: "Association", address: DicomAddress, reports: "CommitmentReports"
    ) -> None:
        self._association = association
        self._address = address
        self._reports = reports

    def send(self, objects: Sequence[OutgoingObject]) -> Receipt | None:
        """Store each object, and ask for the commitment to them where the address wants that."""
        for each in objects:
            self._store(each)
        return self._request_commitment(objects) if self._address.commitment else None

    def _store(self, each: OutgoingObject) -> None:
        dataset = each.dicom.dataset
        _check_accepted(self._association, (each.form,))
        status = _status(self._address, lambda: self._association.send_c_store(dataset))
        check_status(status, each.form.value)

    def _request_commitment(self, objects: Sequence[OutgoingObject]) -> Receipt:
        """Ask by N-ACTION (PS3.4 J.3.2). The answer, an N-EVENT-REPORT, may come much later."""
        from pydicom.dataset import Dataset
        from pydicom.uid import generate_uid

        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = []
        for each in objects:
            item = Dataset()
            item.ReferencedSOPClassUID = each.dicom.sop_class_uid
            item.ReferencedSOPInstanceUID = each.dicom.sop_instance_uid
            request.ReferencedSOPSequence.append(item)
        if not _accepts(self._association, STORAGE_COMMITMENT):
            raise SendingFailed(
                "The destination gives no storage commitment. Switch it off: commitment=no.",
                answered=True,
            )

        def answer() -> "Dataset":
            return self._association.send_n_action(
                request, REQUEST_COMMITMENT, STORAGE_COMMITMENT, COMMITMENT_INSTANCE
            )[0]

        check_status(_status(self._address, answer), "The request for storage commitment")
        report = self._reports.wait_for(request.TransactionUID)
        if report is not None and report.reason:
            raise SendingFailed(report.reason, answered=True)
        return Receipt(request.TransactionUID, committed=report is not None)


class CommitmentReports:
    """The answers of storage commitment that come by the association on which they were wanted."""

    def __init__(self) -> None:
        self._reports: SimpleQueue[CommitmentReport] = SimpleQueue()

    def take(self, event: "Event") -> tuple[int, None]:
        """Take an N-EVENT-REPORT. Returns its status."""
        report = report_of(event.event_information)
        if report is None:
            return PROCESSING_FAILURE, None
        self._reports.put(report)
        return SUCCESS, None

    def wait_for(self, transaction_uid: str) -> CommitmentReport | None:
        """Return the answer of a transaction if it comes soon."""
        try:
            report = self._reports.get(timeout=SAME_ASSOCIATION_SECONDS)
        except Empty:
            return None
        return report if report.transaction_uid == transaction_uid else None


@contextmanager
def connect(address: DicomAddress) -> Iterator[DicomConnection]:
    """Open an association for the length of the block. Raises SendingFailed."""
    classes = [*dict.fromkeys(CLASSES.values())]
    reports = CommitmentReports()
    if address.commitment:
        classes.append(STORAGE_COMMITMENT)
    with _associated(address, classes, reports) as association:
        yield DicomConnection(association, address, reports)


def test(address: DicomAddress, forms: Sequence[Form]) -> str:
    """Ask by C-ECHO (PS3.4 A), and for the classes of what is to be sent."""
    classes = dict.fromkeys(CLASSES[form] for form in forms)
    wanted = [VERIFICATION, *classes, *([STORAGE_COMMITMENT] if address.commitment else [])]
    with _associated(address, wanted) as association:
        if _accepts(association, VERIFICATION):
            _status(address, association.send_c_echo)
        _check_accepted(association, forms)
        if address.commitment and not _accepts(association, STORAGE_COMMITMENT):
            raise SendingFailed("The destination gives no storage commitment.", answered=True)
    plain = gettext("{title} answers at {address}, and takes {forms}.")
    secured = gettext("{title} answers at {address} by TLS, and takes {forms}.")
    text = secured if address.tls else plain
    listed = ", ".join(form.value for form in forms)
    return text.format(title=address.ae_title, address=address.where, forms=listed)


@contextmanager
def _associated(
    address: DicomAddress, classes: Sequence[str], reports: CommitmentReports | None = None
) -> Iterator["Association"]:
    from pynetdicom import evt

    from readfirst.pacs.connecting import ClientAE

    ae = ClientAE(address.calling_ae_title)
    ae.connection_timeout, ae.acse_timeout = CONNECT_SECONDS, ACCEPT_SECONDS
    ae.dimse_timeout = ae.network_timeout = address.seconds
    for name in classes:
        # A context for each syntax: the destination says of each whether it takes it.
        for syntax in SYNTAXES:
            ae.add_requested_context(name, syntax)
    tls = (client_context(address), address.host) if address.tls else None
    handlers = [(evt.EVT_N_EVENT_REPORT, reports.take)] if reports else []
    association = ae.associate(
        address.host,
        address.port,
        ae_title=address.ae_title,
        tls_args=tls,
        evt_handlers=handlers,
    )
    if not association.is_established:
        raise SendingFailed(_not_established(association, address))
    try:
        yield association
    finally:
        association.release()


def _not_established(association: "Association", address: DicomAddress) -> str:
    """Why there is no association, in words that say whom to ask."""
    where = address.where
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
        return tls_fault(where, error)
    except OSError as error:
        return nothing_answers(where, error)
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


def _status(address: DicomAddress, request: Callable[[], "Dataset"]) -> int:
    """Make a request, and return the status of its answer. Raises SendingFailed without one."""
    silent = SendingFailed(
        f"{address.where} did not answer within {address.seconds:g} s, or hung up."
    )
    try:
        status = request().get("Status")
    except RuntimeError as error:
        # The association has ended.
        raise silent from error
    if status is None:
        raise silent
    return int(status)


DICOM = DestinationKind(
    name="dicom",
    title="DICOM (C-STORE)",
    address=DicomAddress,
    forms=DICOM_FORMS,
    connect=connect,
    test=test,
)
