"""Findings of readers, and their agreement with the AI. Pure."""

from enum import StrEnum

from readfirst.language.texts import gettext


class Finding(StrEnum):
    """What a reader found. Stored and exported, so a value is never renamed."""

    PNEUMONIA = "pneumonia"
    NO_PNEUMONIA = "no_pneumonia"
    CANNOT_TELL = "cannot_tell"


#: Findings that say what a film shows; a reader who cannot tell gives no label.
LABELS = (Finding.PNEUMONIA, Finding.NO_PNEUMONIA)


class Agreement(StrEnum):
    """How a finding compares with what the AI said: whether it flagged the study."""

    AGREES = "agrees"
    #: The AI flagged it, and there is no pneumonia.
    FALSE_POSITIVE = "false_positive"
    #: There is pneumonia, and the AI did not flag it.
    MISSED = "missed"


class VerdictGroup(StrEnum):
    """Studies by their latest verdict and what the AI said, as the monitoring counts them."""

    #: With any finding of a reader.
    ANY = "any"
    #: Flagged, and pneumonia.
    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"
    MISSED = "missed"
    #: Not flagged, and no pneumonia.
    TRUE_NEGATIVE = "true_negative"
    CANNOT_TELL = "cannot_tell"
    #: The reader had not seen what the AI said.
    BLIND = "blind"


FINDING_WORDS = {
    Finding.PNEUMONIA: "pneumonia",
    Finding.NO_PNEUMONIA: "no pneumonia",
    Finding.CANNOT_TELL: "uncertain",
}
AGREEMENT_WORDS = {
    Agreement.AGREES: "agrees with the AI",
    Agreement.FALSE_POSITIVE: "AI false positive",
    Agreement.MISSED: "missed by the AI",
}

GROUP_WORDS = {
    VerdictGroup.ANY: "with a verdict",
    VerdictGroup.TRUE_POSITIVE: "flagged, and pneumonia",
    VerdictGroup.FALSE_POSITIVE: "flagged, but no pneumonia",
    VerdictGroup.MISSED: "not flagged, but pneumonia",
    VerdictGroup.TRUE_NEGATIVE: "not flagged, and no pneumonia",
    VerdictGroup.CANNOT_TELL: "the reader is uncertain",
    VerdictGroup.BLIND: "read blind",
}


def agreement(finding: Finding | None, flagged: bool | None) -> Agreement | None:
    """Compare a finding with the AI.

    flagged: None where the AI had not scored the study. None: there is nothing to compare, since
    the AI did not score it, or the reader cannot tell or gave no opinion.
    """
    if flagged is None or finding in (None, Finding.CANNOT_TELL):
        return None
    if flagged == (finding is Finding.PNEUMONIA):
        return Agreement.AGREES
    return Agreement.FALSE_POSITIVE if flagged else Agreement.MISSED


def agreement_text(compared: Agreement | None) -> str:
    """Return an agreement in words; empty where there is nothing to compare."""
    return gettext(AGREEMENT_WORDS[compared]) if compared else ""


def finding_text(finding: Finding | None) -> str:
    """Return a finding in words."""
    return gettext(FINDING_WORDS[finding] if finding else "marked as read")
