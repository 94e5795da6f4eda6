"""The forms in which a result is sent, and the occasion on which each is."""

from enum import StrEnum


class Form(StrEnum):
    """The forms of results. Their values are stored: none ever changes."""

    #: The AI's report, a DICOM SR.
    SR = "sr"
    #: The flag, a DICOM Key Object Selection.
    KOS = "kos"
    #: The heat map of a flagged film, a DICOM Secondary Capture.
    SC = "sc"
    #: The outlines of a heat map, a DICOM Grayscale Softcopy Presentation State.
    GSPS = "gsps"
    #: A reader's verdict on the AI's result, a DICOM SR.
    VERDICT = "verdict"
    #: The AI's result, an HL7 v2 message (ORU^R01).
    ORU = "oru"
    #: The AI's result, a FHIR R4 transaction.
    FHIR = "fhir"


class Occasion(StrEnum):
    """The moments at which there is something new to send of a study."""

    #: Its films were scored, or it ranks by another score.
    SCORE = "score"
    #: The heat map of a flagged film was made.
    HEAT_MAP = "heat_map"
    #: A reader gave a verdict on what the AI says.
    VERDICT = "verdict"


OCCASIONS = {
    Form.SR: Occasion.SCORE,
    Form.KOS: Occasion.SCORE,
    Form.SC: Occasion.HEAT_MAP,
    Form.GSPS: Occasion.HEAT_MAP,
    Form.VERDICT: Occasion.VERDICT,
    Form.ORU: Occasion.SCORE,
    Form.FHIR: Occasion.SCORE,
}
#: Forms of which there are none where nothing is flagged.
FLAGGED_ONLY = frozenset({Form.KOS, Form.SC, Form.GSPS})


class Studies(StrEnum):
    """The studies of which a destination gets results. Their values are stored."""

    FLAGGED = "flagged"
    ALL = "all"


def is_wanted(form: Form, of: Studies, *, flagged: bool) -> bool:
    """Tell whether a destination gets a form of a study. of: whose results it wants."""
    return flagged or (of is Studies.ALL and form not in FLAGGED_ONLY)
