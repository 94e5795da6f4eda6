"""Why a score is not validated: every code, and its sentence for the reader, in one place.

A marked image is scored and ranks like any other; its score is shown as *not validated*.
"""

from dataclasses import dataclass
from enum import StrEnum


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
    POPULATION_UNKNOWN = "population_unknown"
    SCOPE_NOT_CHECKED = "scope_not_checked"


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
    MarkCode.POPULATION_UNKNOWN: "The ensemble does not say which ages it was validated on.",
    MarkCode.SCOPE_NOT_CHECKED: "The image came in before films were checked against a scope.",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One reason why an image's score is not validated. reason: the sentence, with what was found
    behind it.
    """

    code: MarkCode
    reason: str


def mark(code: MarkCode, detail: str = "") -> Mark:
    """A mark with its sentence; detail says what was found."""
    return Mark(code, MARK_SENTENCES[code] + (f" ({detail})" if detail else ""))
