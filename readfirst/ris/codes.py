"""The codes of messages that were not taken, each with its sentence."""

from enum import StrEnum


class MessageCode(StrEnum):
    """Why a message was not taken. Codes are stored: none is ever renamed."""

    NOT_HL7 = "not_hl7"
    TOO_LARGE = "too_large"
    MESSAGE_TYPE_NOT_USED = "message_type_not_used"
    NO_ACCESSION_NUMBER = "no_accession_number"
    NO_PATIENT_ID = "no_patient_id"
    PATIENT_DIFFERS = "patient_differs"
    MERGE_WITH_ITSELF = "merge_with_itself"
    PROCESSING_FAILED = "processing_failed"


MESSAGE_SENTENCES: dict[MessageCode, str] = {
    MessageCode.NOT_HL7: "This is no HL7 version 2 message: it does not begin with MSH.",
    MessageCode.TOO_LARGE: "The message is larger than READFIRST_HL7_KILOBYTES allows.",
    MessageCode.MESSAGE_TYPE_NOT_USED: "ReadFirst does not use messages of this type.",
    MessageCode.NO_ACCESSION_NUMBER: "The message names no accession number.",
    MessageCode.NO_PATIENT_ID: "The message names no patient ID.",
    MessageCode.PATIENT_DIFFERS: (
        "The study of this accession number is another patient's: find out which is right."
    ),
    MessageCode.MERGE_WITH_ITSELF: "The message merges a patient with the same patient.",
    MessageCode.PROCESSING_FAILED: "ReadFirst failed to take the message: see the log.",
}
#: What the sender itself must change, and need not send again as it is (AR); others are AE.
REJECTED = frozenset(
    {MessageCode.NOT_HL7, MessageCode.TOO_LARGE, MessageCode.MESSAGE_TYPE_NOT_USED}
)
