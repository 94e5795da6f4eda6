"""The objects that are sent, made of a study at the moment of sending."""

from dataclasses import dataclass

from readfirst.destinations.forms import Form
from readfirst.results.reasons import NoResultCode
from readfirst.results.values import ResultKind
from results.make import ResultObject, make_results
from results.messages import ResultMessage
from results.services import ResultServices

#: The forms that are DICOM objects.
DICOM_FORMS = (Form.SR, Form.KOS, Form.SC, Form.GSPS, Form.VERDICT)
#: Those that are messages.
MESSAGE_FORMS = (Form.ORU, Form.FHIR)
#: There is no result yet, and will be: a film of the study is still in work.
NOT_YET = frozenset({NoResultCode.IN_WORK})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingObject:
    """An object or message that is sent.

    key: names it at each repetition, as a SOP Instance UID, or the control ID of a message.
    """

    form: Form
    key: str
    study_instance_uid: str
    content: ResultObject | ResultMessage

    @property
    def dicom(self) -> ResultObject:
        """The DICOM object. Raises TypeError for a message."""
        if not isinstance(self.content, ResultObject):
            raise TypeError(f"{self.form} is no DICOM object")
        return self.content

    @property
    def message(self) -> ResultMessage:
        """The message. Raises TypeError for a DICOM object."""
        if not isinstance(self.content, ResultMessage):
            raise TypeError(f"{self.form} is no message")
        return self.content


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The objects of one form of a study.

    reason: why there is nothing, as a sentence; None if there is something. later: try again.
    """

    objects: tuple[OutgoingObject, ...]
    reason: str | None = None
    later: bool = False


def make_outgoing(services: ResultServices, study_instance_uid: str, form: Form) -> Outgoing:
    """Make the objects of a form of a study; the same study makes the same ones each time.

    Raises as `results.make.make_results`.
    """
    results = make_results(services, study_instance_uid, (ResultKind(form.value),))
    objects = tuple(
        OutgoingObject(
            form=form,
            key=made.identifier,
            study_instance_uid=made.study_instance_uid,
            content=made,
        )
        for made in results.made
    )
    if objects or not results.missing:
        return Outgoing(objects)
    missing = results.missing[0]
    return Outgoing((), missing.reason, later=missing.code in NOT_YET)
