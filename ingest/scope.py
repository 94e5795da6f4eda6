"""Which images are within the scope of the networks, by what their headers say. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from ingest.scope_rules import AgeRule, Result, ScopeRules
from readfirst.domain import Ages, Header
from readfirst.errors import Refused
from readfirst.marks import Mark, MarkCode, mark
from readfirst.refusals import RefusalCode

#: An age above this is none: 999Y and a birth in 1900 stand for "unknown" (years).
OLDEST = 115
DAYS_IN_A_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class Tag:
    """What one rule looks at, and the codes of what it finds."""

    attribute: str
    values: Callable[[Header], tuple[str | None, ...]]
    mark: MarkCode
    refusal: RefusalCode


#: By the name of the rule.
TAGS: dict[str, Tag] = {
    "modality": Tag(
        "Modality (0008,0060)",
        lambda header: (header.modality,),
        MarkCode.MODALITY,
        RefusalCode.MODALITY_NOT_RADIOGRAPHY,
    ),
    "image_type": Tag(
        "Image Type (0008,0008)",
        lambda header: header.image_type,
        MarkCode.IMAGE_TYPE,
        RefusalCode.IMAGE_TYPE_NOT_A_FILM,
    ),
    "presentation_intent": Tag(
        "Presentation Intent Type (0008,0068)",
        lambda header: (header.presentation_intent_type,),
        MarkCode.PRESENTATION_INTENT,
        RefusalCode.FOR_PROCESSING,
    ),
    "body_part": Tag(
        "Body Part Examined (0018,0015)",
        lambda header: (header.body_part_examined,),
        MarkCode.BODY_PART,
        RefusalCode.BODY_PART_NOT_CHEST,
    ),
    "view": Tag(
        "View Position (0018,5101)",
        lambda header: (header.view_position,),
        MarkCode.VIEW,
        RefusalCode.VIEW_NOT_FRONTAL,
    ),
    "laterality": Tag(
        "Image Laterality (0020,0062)",
        lambda header: (header.laterality,),
        MarkCode.LATERALITY,
        RefusalCode.LATERALITY_ONE_SIDE,
    ),
    "burned_in_annotation": Tag(
        "Burned In Annotation (0028,0301)",
        lambda header: (header.burned_in_annotation,),
        MarkCode.BURNED_IN_ANNOTATION,
        RefusalCode.ANNOTATION_BURNED_IN,
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of an image. code: of the mark or the refusal; reason: its sentence."""

    rule: str
    attribute: str
    found: str
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
    found = findings(header, rules, ages)
    for finding in found:
        if isinstance(finding.code, RefusalCode):
            raise Refused(finding.code, finding.found)
    return tuple(
        mark(finding.code, finding.found) for finding in found if isinstance(finding.code, MarkCode)
    )


def findings(header: Header, rules: ScopeRules, ages: Ages | None) -> list[Finding]:
    """What every rule says of an image, in order."""
    by_tag = [_tag_finding(name, header, rules) for name in rules.tags]
    return [*by_tag, _age_finding(header, rules.age, ages)]


def ages_of(header: Header) -> list[int]:
    """The patient's age in completed years: by PatientAge, and by birth date and study date.

    Both where both are there, since either may be a placeholder; none that nobody can have.
    """
    said = (_age_by_tag(header.patient_age), _age_by_birth(header))
    return [years for years in said if years is not None and 0 <= years <= OLDEST]


def _tag_finding(name: str, header: Header, rules: ScopeRules) -> Finding:
    tag = TAGS[name]
    values = tuple(value for value in tag.values(header) if value)
    result = rules.tags[name].result(values)
    code = _by_result(result, tag.mark, tag.refusal)[1] if result is not Result.SCORE else None
    return _finding(name, tag.attribute, "\\".join(values), result, code)


def _age_finding(header: Header, rule: AgeRule, ages: Ages | None) -> Finding:
    """The strictest of what the patient's age, or ages, mean; of alike ones the first."""
    judged = [(*_age_result(years, rule, ages), f"{years} y") for years in ages_of(header)]
    unknown = _by_result(rule.missing, MarkCode.AGE_UNKNOWN, RefusalCode.AGE_UNKNOWN)
    result, code, found = max(judged, key=lambda one: one[0], default=(*unknown, ""))
    return _finding("age", "Patient Age (0010,1010)", found, result, code)


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
    rule: str, attribute: str, found: str, result: Result, code: MarkCode | RefusalCode | None
) -> Finding:
    reason = ""
    if isinstance(code, MarkCode):
        reason = mark(code, found).reason
    elif isinstance(code, RefusalCode):
        reason = Refused(code, found).reason
    return Finding(rule, attribute, found, result, code, reason)


def _age_by_tag(age: str | None) -> int | None:
    """PS3.5 6.2, AS: `004Y`, `011M`, `003W`, `009D`."""
    if not age:
        return None
    count, unit = int(age[:-1]), age[-1]
    days = {"D": 1.0, "W": 7.0, "M": DAYS_IN_A_YEAR / 12, "Y": DAYS_IN_A_YEAR}
    # A thousandth keeps 012M from being a day short of a year.
    return int(count * days[unit] / DAYS_IN_A_YEAR + 0.001)


def _age_by_birth(header: Header) -> int | None:
    at = header.study_datetime or header.acquisition_datetime
    if header.patient_birth_date is None or at is None:
        return None
    return _completed_years(header.patient_birth_date, at.date())


def _completed_years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
