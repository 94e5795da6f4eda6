"""The Modality Worklist of a RIS is asked for an order (C-FIND, PS3.4 K)."""

from collections.abc import Collection
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from ingest.dicom.dates import EARLIEST_BIRTH, read_day
from ingest.pacs.datasets import text_of
from ingest.pacs.statuses import NO_ANSWER, PENDING, SUCCESS, status_sentence
from readfirst.errors import SourceUnavailable
from readfirst.pacs.connecting import ClientAE
from readfirst.ris.values import ImagingOrder
from readfirst.settings import Settings
from readfirst.studies.identity import Patient

#: Modality Worklist Information Model, C-FIND (PS3.4 K.6.1.4).
MODALITY_WORKLIST = UID("1.2.840.10008.5.1.4.31")
#: Seconds for a connection, and for an answer.
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 20.0
#: Answers that are read; an accession number has one order, of one or a few steps.
MOST_ANSWERS = 20
#: Requested Procedure Priority (0040,1003) of what is to be read at once (PS3.3 C.4.11).
URGENT = frozenset({"STAT", "HIGH"})
RETURNED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "RequestedProcedurePriority",
    "RequestedProcedureDescription",
    "ReasonForTheRequestedProcedure",
    "CurrentPatientLocation",
    "PlacerOrderNumberImagingServiceRequest",
    "FillerOrderNumberImagingServiceRequest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistPeer:
    """The Modality Worklist, and the AE title by which it is asked. urgent: further priorities."""

    host: str
    port: int
    ae_title: str
    calling_ae_title: str
    urgent: frozenset[str] = frozenset()


def worklist_peer(settings: Settings) -> WorklistPeer | None:
    """The peer that the settings name; None if none is asked."""
    if settings.mwl_host is None:
        return None
    return WorklistPeer(
        host=settings.mwl_host,
        port=settings.mwl_port,
        ae_title=settings.mwl_ae_title,
        calling_ae_title=settings.mwl_calling_ae_title,
        urgent=settings.urgent_priorities,
    )


def find_orders(peer: WorklistPeer, accession_number: str) -> list[ImagingOrder]:
    """The orders of an accession number. Raises SourceUnavailable where it gives no answer."""
    ae = ClientAE(peer.calling_ae_title)
    ae.connection_timeout = ae.acse_timeout = CONNECT_SECONDS
    ae.dimse_timeout = ae.network_timeout = ANSWER_SECONDS
    syntaxes: list[str | UID] = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
    contexts = [build_context(MODALITY_WORKLIST, syntaxes)]
    association = ae.associate(peer.host, peer.port, contexts, peer.ae_title)
    if not association.is_established:
        fault = ae.connection_fault() or "it does not accept the association."
        raise SourceUnavailable(f"The Modality Worklist: {fault}")
    try:
        answers = _answers(association, request(accession_number))
        association.release()
    finally:
        if association.is_established:
            association.abort()
    orders = (worklist_order(each, accession_number, peer.urgent) for each in answers)
    return [order for order in orders if order is not None]


def _answers(association: Association, wanted: Dataset) -> list[Dataset]:
    """What matches; no more than an accession number may have. Raises SourceUnavailable."""
    answers: list[Dataset] = []
    code = None
    try:
        for status, answer in association.send_c_find(wanted, MODALITY_WORKLIST):
            code = status.get("Status")
            if code in PENDING and answer is not None:
                answers.append(answer)
            if len(answers) == MOST_ANSWERS:
                return answers
    except ValueError as error:
        raise SourceUnavailable("The Modality Worklist does not accept C-FIND.") from error
    if code is None:
        raise SourceUnavailable(f"The Modality Worklist: {NO_ANSWER}")
    if code != SUCCESS:
        raise SourceUnavailable(f"The Modality Worklist: {status_sentence(code)}")
    return answers


def request(accession_number: str) -> Dataset:
    """The identifier of the request: one key, and what is to be returned (PS3.4 K.6.1.2.2)."""
    dataset = Dataset()
    dataset.AccessionNumber = accession_number
    for keyword in RETURNED:
        setattr(dataset, keyword, "")
    step = Dataset()
    step.Modality = step.ScheduledProcedureStepStartDate = ""
    dataset.ScheduledProcedureStepSequence = [step]
    return dataset


def worklist_order(
    answer: Dataset, accession_number: str, urgent: Collection[str]
) -> ImagingOrder | None:
    """The order of an answer; None where it is of another accession number."""
    if text_of(answer, "AccessionNumber") != accession_number:
        return None
    priority = text_of(answer, "RequestedProcedurePriority")
    return ImagingOrder(
        accession_number=accession_number,
        patient=Patient(
            patient_id=text_of(answer, "PatientID"),
            issuer_of_patient_id=text_of(answer, "IssuerOfPatientID"),
            patient_name=text_of(answer, "PatientName"),
            patient_birth_date=read_day(text_of(answer, "PatientBirthDate") or "", EARLIEST_BIRTH),
        ),
        placer_order_number=text_of(answer, "PlacerOrderNumberImagingServiceRequest"),
        filler_order_number=text_of(answer, "FillerOrderNumberImagingServiceRequest"),
        priority=priority,
        is_urgent=(priority or "").upper() in URGENT | frozenset(urgent),
        indication=text_of(answer, "ReasonForTheRequestedProcedure"),
        ward=text_of(answer, "CurrentPatientLocation"),
        requested_procedure=text_of(answer, "RequestedProcedureDescription"),
    )
