"""Reasons why a score is not validated: every code, with its sentence for the reader.

A marked image is scored and ranks like any other; its score is shown as *not validated*.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from readfirst.language.texts import with_detail


class MarkCode(StrEnum):
    """The codes. They are stored and exported, so a code is never renamed."""

    MODALITY = "modality_not_validated"
    IMAGE_TYPE = "image_type_not_validated"
    PRESENTATION_INTENT = "presentation_intent_not_validated"
    BODY_PART = "body_part_not_validated"
    VIEW = "view_not_validated"
    LATERALITY = "laterality_one_side"
    BURNED_IN_ANNOTATION = "annotation_burned_in"
    ADULT = "adult"
    CHILD_OUTSIDE_POPULATION = "child_outside_population"
    AGE_UNKNOWN = "age_unknown"
    AGE_WITHOUT_UNIT = "age_without_unit"
    AGE_CONTRADICTED = "age_contradicted"
    POPULATION_UNKNOWN = "population_unknown"
    SCOPE_NOT_CHECKED = "scope_not_checked"
    MAY_BE_CUT = "may_be_cut"
    HEADER_CORRECTED = "header_corrected"


MARK_SENTENCES: dict[MarkCode, str] = {
    MarkCode.MODALITY: "The networks were not validated on films of this modality.",
    MarkCode.IMAGE_TYPE: "The image was derived from others; only films as taken were validated.",
    MarkCode.PRESENTATION_INTENT: "The image was not made for reading, and may look unlike a film.",
    MarkCode.BODY_PART: "The film shows more, less or other than the chest.",
    MarkCode.VIEW: "The networks were not validated on films of this view.",
    MarkCode.LATERALITY: "The film is said to show one side; only whole chests were validated.",
    MarkCode.BURNED_IN_ANNOTATION: "Writing is burned into the pixels and may sway the score.",
    MarkCode.ADULT: "The patient is an adult; the networks were not validated on adults.",
    MarkCode.CHILD_OUTSIDE_POPULATION: (
        "The child is outside the ages that the networks were validated on."
    ),
    MarkCode.AGE_UNKNOWN: "The age is unknown; the networks were validated on some ages only.",
    MarkCode.AGE_WITHOUT_UNIT: "The age has no unit in the file, and was taken as years.",
    MarkCode.AGE_CONTRADICTED: (
        "Age and birth date in the file contradict each other, so the age is in doubt."
    ),
    MarkCode.POPULATION_UNKNOWN: "The ensemble does not say which ages it was validated on.",
    MarkCode.SCOPE_NOT_CHECKED: "The image came in before films were checked against a scope.",
    MarkCode.MAY_BE_CUT: (
        "The file ends in zeros: the lower part of the film may never have come; look at it."
    ),
    MarkCode.HEADER_CORRECTED: (
        "The header does not fit the pixels; what the pixels prove is shown and scored."
    ),
}
#: The same in a few words, for a list.
MARK_WORDS: dict[MarkCode, str] = {
    MarkCode.MODALITY: "modality not validated",
    MarkCode.IMAGE_TYPE: "derived image",
    MarkCode.PRESENTATION_INTENT: "image not made for reading",
    MarkCode.BODY_PART: "not only the chest",
    MarkCode.VIEW: "view not validated",
    MarkCode.LATERALITY: "one side only",
    MarkCode.BURNED_IN_ANNOTATION: "writing in the pixels",
    MarkCode.ADULT: "adult",
    MarkCode.CHILD_OUTSIDE_POPULATION: "age not validated",
    MarkCode.AGE_UNKNOWN: "age unknown",
    MarkCode.AGE_WITHOUT_UNIT: "age without unit",
    MarkCode.AGE_CONTRADICTED: "age in doubt",
    MarkCode.POPULATION_UNKNOWN: "ensemble names no ages",
    MarkCode.SCOPE_NOT_CHECKED: "scope not checked",
    MarkCode.MAY_BE_CUT: "film may be cut off",
    MarkCode.HEADER_CORRECTED: "header corrected",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One reason why an image's score is not validated. reason: the sentence, with what was found
    behind it.
    """

    code: MarkCode
    reason: str


def mark_text(each: Mark) -> str:
    """Return the reason of a mark in the reader's language, what was found and all."""
    return with_detail(MARK_SENTENCES[each.code], each.reason)


def mark(code: MarkCode, detail: str = "") -> Mark:
    """A mark with its sentence; detail says what was found."""
    return Mark(code, MARK_SENTENCES[code] + (f" ({detail})" if detail else ""))


def correction_marks(corrections: Sequence[str]) -> tuple[Mark, ...]:
    """Return the mark of an image whose header was corrected; none where it was right.

    corrections: what was set right or left aside, in words.
    """
    return (mark(MarkCode.HEADER_CORRECTED, "; ".join(corrections)),) if corrections else ()
