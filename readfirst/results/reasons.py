"""Reasons why there is no DICOM result, each with its sentence."""

from enum import StrEnum


class NoResultCode(StrEnum):
    """The codes. They are exported, so a code is never renamed."""

    NOT_SCORED = "not_scored"
    IN_WORK = "in_work"
    PICTURE = "picture"
    STUDY_UID_MADE_HERE = "study_instance_uid_made_here"
    STUDY_UID_SHARED = "study_instance_uid_shared"
    IMAGE_UID_MADE_HERE = "sop_instance_uid_made_here"
    HEADER_INCOMPLETE = "header_incomplete"
    ORIGINAL_REMOVED = "original_removed"
    FILM_UNREADABLE = "film_unreadable"
    AI_HIDDEN = "ai_hidden"
    WOULD_LOWER = "would_lower"
    NOT_FLAGGED = "not_flagged"
    NO_HEAT_MAP = "no_heat_map"
    NO_HOT_REGION = "no_hot_region"
    PRESENTATION_UNKNOWN = "presentation_unknown"
    NO_VERDICT = "no_verdict"
    NO_PATIENT_ID = "no_patient_id"


NO_RESULT_SENTENCES: dict[NoResultCode, str] = {
    NoResultCode.NOT_SCORED: "No film of the study is scored.",
    NoResultCode.IN_WORK: "A film of the study is still in work; try again when it is scored.",
    NoResultCode.PICTURE: (
        "The film came as a picture without a DICOM header: no PACS has its study, so there is "
        "nothing that a DICOM result could belong to."
    ),
    NoResultCode.STUDY_UID_MADE_HERE: (
        "The files bring no valid Study Instance UID: no PACS has the study under the UID that was "
        "made here."
    ),
    NoResultCode.STUDY_UID_SHARED: (
        "Images of different patients came under one Study Instance UID: a result could end at the "
        "wrong patient. Find out whose they are."
    ),
    NoResultCode.IMAGE_UID_MADE_HERE: (
        "The files bring no valid SOP Instance UID, so that no result can refer to the film."
    ),
    NoResultCode.HEADER_INCOMPLETE: (
        "The header names no SOP Class or no series, so that no result can refer to the film."
    ),
    NoResultCode.ORIGINAL_REMOVED: (
        "The original was removed, as the settings say; a result refers to what its header says."
    ),
    NoResultCode.FILM_UNREADABLE: "The original cannot be read.",
    NoResultCode.AI_HIDDEN: (
        "What the AI says is hidden until a verdict is given (READFIRST_HIDE_AI_UNTIL_VERDICT)."
    ),
    NoResultCode.WOULD_LOWER: (
        "The study was flagged, by another ensemble version or threshold, and is not any more: no "
        "result is made that takes a flag back."
    ),
    NoResultCode.NOT_FLAGGED: "No film of the study is flagged: there is nothing to point at.",
    NoResultCode.NO_HEAT_MAP: (
        "No Grad-CAM heat map of a flagged film is made by this ensemble version."
    ),
    NoResultCode.NO_HOT_REGION: "The heat map has no hot region.",
    NoResultCode.PRESENTATION_UNKNOWN: (
        "The header does not say clearly enough how the film is shown, which a presentation state "
        "takes the place of."
    ),
    NoResultCode.NO_VERDICT: (
        "No verdict stands that agrees or disagrees with what the AI said then."
    ),
    NoResultCode.NO_PATIENT_ID: (
        "The film names no patient ID, without which a message can belong to nobody."
    ),
}
