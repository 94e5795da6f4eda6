"""The messages of a study: what a RIS or an electronic record gets of its result."""

from collections.abc import Callable
from dataclasses import dataclass

from readfirst.results.fhir.bundle import transaction_bundle
from readfirst.results.hl7.fields import MessageHeader
from readfirst.results.hl7.oru import oru_message, read_template
from readfirst.results.reasons import NoResultCode
from readfirst.results.redaction import patient_values
from readfirst.results.values import AiResult, ResultKind
from results.gather import GatheredStudy
from results.services import NoResult, ResultServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultMessage:
    """A message that is made, ready to be written or sent.

    identifier: by which a receiver knows it again: the same twice has the same one. patient_values:
    what of the patient no log may hold, should a receiver repeat it.
    """

    kind: ResultKind
    study_instance_uid: str
    identifier: str
    content: bytes
    patient_values: frozenset[str]


def make_message(
    kind: ResultKind, services: ResultServices, gathered: GatheredStudy
) -> ResultMessage:
    """Make the message of a study.

    Raises NoResult by the rules of results, and Misconfigured where the template makes none.
    """
    result = gathered.current
    if not (result.study.patient_id or "").strip():
        raise NoResult(NoResultCode.NO_PATIENT_ID)
    identifier, content = _MAKERS[kind](services, result)
    return ResultMessage(
        kind=kind,
        study_instance_uid=result.study.study_instance_uid,
        identifier=identifier,
        content=content,
        patient_values=patient_values(result.study),
    )


def _oru(services: ResultServices, result: AiResult) -> tuple[str, bytes]:
    settings = services.settings
    template = read_template(settings.oru_template)
    message = oru_message(result, template, MessageHeader(*settings.hl7_applications.split("|")))
    return message.control_id, message.content


def _fhir(_: ResultServices, result: AiResult) -> tuple[str, bytes]:
    bundle = transaction_bundle(result)
    return bundle.identifier, bundle.content


_MAKERS: dict[ResultKind, Callable[[ResultServices, AiResult], tuple[str, bytes]]] = {
    ResultKind.ORU: _oru,
    ResultKind.FHIR: _fhir,
}
