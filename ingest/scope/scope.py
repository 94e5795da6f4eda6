"""The scope of the networks: images are in or out by their headers. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ingest.scope.scope_rules import AgeRule, Result, ScopeRules
from readfirst.domain import Ages, Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.ages import age_doubts, ages_of, impossible_age
from readfirst.studies.marks import Mark, MarkCode, mark

#: What parts values of an attribute that has one, by the standard; modalities, also as `CR/DX`.
BACKSLASH = re.compile(r"\\")
BETWEEN_MODALITIES = re.compile(r"[\\/,;+&|]|(?<=\w\w)\s+(?=\w\w)")


@dataclass(frozen=True, slots=True)
class Tag:
    """The attribute that a rule looks at, and the codes of what it finds.

    several: it has several values, by the standard. One that has one, and brings several, is judged
    by each of them. gap: what else than a backslash parts them, where no pattern means the whole.
    """

    attribute: str
    values: Callable[[Header], tuple[str, ...]]
    mark: MarkCode
    refusal: RefusalCode
    several: bool = False
    gap: re.Pattern[str] | None = None


def _parted(written: str | None, gap: re.Pattern[str] = BACKSLASH) -> tuple[str, ...]:
    return tuple(filter(None, gap.split(written or "")))


AGE = "Patient Age (0010,1010)"
#: By the name of the rule.
TAGS: dict[str, Tag] = {
    "modality": Tag(
        "Modality (0008,0060)",
        lambda header: _parted(header.modality),
        MarkCode.MODALITY,
        RefusalCode.MODALITY_NOT_RADIOGRAPHY,
        gap=BETWEEN_MODALITIES,
    ),
    "image_type": Tag(
        "Image Type (0008,0008)",
        lambda header: header.image_type,
        MarkCode.IMAGE_TYPE,
        RefusalCode.IMAGE_TYPE_NOT_A_FILM,
        several=True,
    ),
    "presentation_intent": Tag(
        "Presentation Intent Type (0008,0068)",
        lambda header: _parted(header.presentation_intent_type),
        MarkCode.PRESENTATION_INTENT,
        RefusalCode.FOR_PROCESSING,
    ),
    "body_part": Tag(
        "Body Part Examined (0018,0015)",
        lambda header: _parted(header.body_part_examined),
        MarkCode.BODY_PART,
        RefusalCode.BODY_PART_NOT_CHEST,
    ),
    "view": Tag(
        "View Position (0018,5101)",
        lambda header: _parted(header.view_position),
        MarkCode.VIEW,
        RefusalCode.VIEW_NOT_FRONTAL,
    ),
    "laterality": Tag(
        "Image Laterality (0020,0062)",
        lambda header: _parted(header.laterality),
        MarkCode.LATERALITY,
        RefusalCode.LATERALITY_ONE_SIDE,
    ),
    "burned_in_annotation": Tag(
        "Burned In Annotation (0028,0301)",
        lambda header: _parted(header.burned_in_annotation),
        MarkCode.BURNED_IN_ANNOTATION,
        RefusalCode.ANNOTATION_BURNED_IN,
    ),
}


@dataclass(frozen=True, slots=True)
class ScopeFinding:
    """The result of one rule for an image.

    value: what the attribute says. code: of the mark or the refusal. reason: its sentence.
    """

    rule: str
    attribute: str
    value: str
    result: Result
    code: MarkCode | RefusalCode | None = None
    reason: str = ""


def check_scope(header: Header, rules: ScopeRules, ages: Ages | None) -> tuple[Mark, ...]:
    """The marks of an image that may be scored.

    ages: those of the ensemble's population; None if nobody knows them. Raises Refused by the
    first rule that refuses.
    """
    if header.number_of_frames > 1:
        raise Refused(RefusalCode.MULTI_FRAME, f"{header.number_of_frames} frames")
    results = findings(header, rules, ages)
    for finding in results:
        if isinstance(finding.code, RefusalCode):
            raise Refused(finding.code, finding.value)
    marks = tuple(
        mark(finding.code, finding.value)
        for finding in results
        if isinstance(finding.code, MarkCode)
    )
    return marks + _of_file(header)


def marks_of_scored(header: Header, rules: ScopeRules, ages: Ages | None) -> tuple[Mark, ...]:
    """The marks of an image that has a score already: what is refused by now is marked.

    A score never changes, and what it has raised is not lowered. ages: as in `check_scope`.
    """
    marks = tuple(
        mark(_mark_code(finding.rule, finding.code), finding.value)
        for finding in findings(header, rules, ages)
        if finding.code is not None
    )
    return marks + _of_file(header)


def _of_file(header: Header) -> tuple[Mark, ...]:
    """The marks that no rule decides."""
    return (mark(MarkCode.MAY_BE_CUT),) if header.may_be_cut else ()


def _mark_code(rule: str, code: MarkCode | RefusalCode) -> MarkCode:
    """The mark that says the same as a refusal; the rule of the age gives both one code."""
    if isinstance(code, MarkCode):
        return code
    return TAGS[rule].mark if rule in TAGS else MarkCode(code.value)


def findings(header: Header, rules: ScopeRules, ages: Ages | None) -> list[ScopeFinding]:
    """List the results of all rules for an image, in order; doubts of its age are before that."""
    by_tag = [_tag_finding(name, header, rules) for name in rules.tags]
    return [*by_tag, *_age_doubts(header), _age_finding(header, rules.age, ages)]


def _tag_finding(name: str, header: Header, rules: ScopeRules) -> ScopeFinding:
    tag = TAGS[name]
    values = tuple(filter(None, tag.values(header)))
    rule = rules.tags[name]
    if tag.gap is not None and not rule.matches(values):
        values = tuple(part for value in values for part in _parted(value, tag.gap))
    result = rule.result(values, each=not tag.several)
    code = _by_result(result, tag.mark, tag.refusal)[1] if result is not Result.SCORE else None
    return _finding(name, tag.attribute, "\\".join(values), result, code)


def _age_doubts(header: Header) -> list[ScopeFinding]:
    doubts = age_doubts(header)
    return [_finding("age", AGE, value, Result.MARK, code) for code, value in doubts]


def _age_finding(header: Header, rule: AgeRule, ages: Ages | None) -> ScopeFinding:
    """The strictest of what the patient's age, or ages, mean; of alike ones the first."""
    judged = [(*_age_result(years, rule, ages), f"{years} y") for years in ages_of(header)]
    unknown = _by_result(rule.missing, MarkCode.AGE_UNKNOWN, RefusalCode.AGE_UNKNOWN)
    result, code, value = max(judged, key=lambda each: each[0], default=None) or (
        *unknown,
        impossible_age(header),
    )
    return _finding("age", AGE, value, result, code)


Judged = tuple[Result, MarkCode | RefusalCode | None]


def _age_result(years: int, rule: AgeRule, ages: Ages | None) -> Judged:
    if ages is not None and ages.from_years <= years <= ages.to_years:
        return Result.SCORE, None
    if years >= rule.adult_years:
        return _by_result(rule.adults, MarkCode.ADULT, RefusalCode.ADULT)
    if ages is None:
        return Result.MARK, MarkCode.POPULATION_UNKNOWN
    return _by_result(
        rule.children_outside,
        MarkCode.CHILD_OUTSIDE_POPULATION,
        RefusalCode.CHILD_OUTSIDE_POPULATION,
    )


def _by_result(result: Result, marked: MarkCode, refused: RefusalCode) -> Judged:
    return result, refused if result is Result.REFUSE else marked


def _finding(
    rule: str, attribute: str, value: str, result: Result, code: MarkCode | RefusalCode | None
) -> ScopeFinding:
    reason = ""
    if isinstance(code, MarkCode):
        reason = mark(code, value).reason
    elif isinstance(code, RefusalCode):
        reason = Refused(code, value).reason
    return ScopeFinding(rule, attribute, value, result, code, reason)
