"""Findings of readers, and their agreement with the AI. Pure."""

from enum import StrEnum


class Finding(StrEnum):
    """What a reader found. Stored and exported, so a value is never renamed."""

    PNEUMONIA = "pneumonia"
    NO_PNEUMONIA = "no_pneumonia"
    CANNOT_TELL = "cannot_tell"


class Agreement(StrEnum):
    """How a finding compares with what the AI said: whether it flagged the study."""

    AGREES = "agrees"
    #: The AI flagged it, and there is no pneumonia.
    FALSE_POSITIVE = "false_positive"
    #: There is pneumonia, and the AI did not flag it.
    MISSED = "missed"


FINDING_WORDS = {
    Finding.PNEUMONIA: "pneumonia",
    Finding.NO_PNEUMONIA: "no pneumonia",
    Finding.CANNOT_TELL: "cannot tell",
}
AGREEMENT_WORDS = {
    Agreement.AGREES: "agrees with the AI",
    Agreement.FALSE_POSITIVE: "AI false positive",
    Agreement.MISSED: "missed by the AI",
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


def finding_text(finding: Finding | None) -> str:
    """Return a finding in words."""
    return FINDING_WORDS[finding] if finding else "read, no opinion"
