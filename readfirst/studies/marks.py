"""Reasons not to trust a score: every code, with its sentence for the reader.

A marked image is scored and ranks like any other. Its score is shown as *not validated*, or as *in
doubt* where the film is of the validated kind and the networks disagree about it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from readfirst.language.texts import gettext, with_detail


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
    #: These two are of a score (`readfirst.studies.score_marks`), and not of the image's header.
    UNLIKE_VALIDATED = "unlike_validated"
    MEMBERS_DISAGREE = "members_disagree"


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
    MarkCode.UNLIKE_VALIDATED: ("The film looks unlike those that the networks were validated on."),
    MarkCode.MEMBERS_DISAGREE: (
        "The networks disagree: some of them are above the threshold, and some below."
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
    MarkCode.UNLIKE_VALIDATED: "unlike validated films",
    MarkCode.MEMBERS_DISAGREE: "networks disagree",
}


class Validity(StrEnum):
    """The trust that a score deserves, by its marks."""

    VALIDATED = "validated"
    #: The film is like those of the validation, and the networks disagree about it.
    IN_DOUBT = "in_doubt"
    NOT_VALIDATED = "not_validated"


#: Of each in a few words, for a list and for a label; none for a score without a mark.
VALIDITY_WORDS = {
    Validity.VALIDATED: "",
    Validity.IN_DOUBT: "networks disagree",
    Validity.NOT_VALIDATED: "not validated",
}
VALIDITY_LABELS = {
    Validity.VALIDATED: "",
    Validity.IN_DOUBT: "Networks disagree",
    Validity.NOT_VALIDATED: "Not validated",
}


def validity(codes: Collection[str]) -> Validity:
    """Tell how far a score with these marks holds; none of them ever lowers it."""
    if not codes:
        return Validity.VALIDATED
    in_doubt = all(code == MarkCode.MEMBERS_DISAGREE for code in codes)
    return Validity.IN_DOUBT if in_doubt else Validity.NOT_VALIDATED


@dataclass(frozen=True, slots=True)
class Mark:
    """One reason not to trust a score. reason: the sentence, with what was found behind it."""

    code: MarkCode
    reason: str


def mark_text(each: Mark) -> str:
    """Return the reason of a mark in the reader's language, what was found and all."""
    return with_detail(MARK_SENTENCES[each.code], each.reason)


def mark(code: MarkCode, detail: str = "") -> Mark:
    """A mark with its sentence; detail says what was found."""
    return Mark(code, MARK_SENTENCES[code] + (f" ({detail})" if detail else ""))


def each_once(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the first mark of each code; a doubt of the networks comes last."""
    by_code: dict[MarkCode, Mark] = {}
    for each in marks:
        by_code.setdefault(each.code, each)
    return tuple(sorted(by_code.values(), key=lambda each: each.code is MarkCode.MEMBERS_DISAGREE))


def validity_of(marks: Iterable[Mark]) -> Validity:
    """Tell how far a score with these marks holds."""
    return validity([each.code for each in marks])


def validity_words(each: Validity) -> str:
    """Return the words of a validity in the reader's language; none for a validated score."""
    return gettext(VALIDITY_WORDS[each])


def validity_label(each: Validity) -> str:
    """Return the label of a validity in the reader's language; none for a validated score."""
    return gettext(VALIDITY_LABELS[each])


def correction_marks(corrections: Sequence[str]) -> tuple[Mark, ...]:
    """Return the mark of an image whose header was corrected; none where it was right.

    corrections: what was set right or left aside, in words.
    """
    return (mark(MarkCode.HEADER_CORRECTED, "; ".join(corrections)),) if corrections else ()
