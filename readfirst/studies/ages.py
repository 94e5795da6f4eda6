"""The patient's age by a header: by Patient Age, and by birth date and date of study. Pure.

Either may stand for "unknown", be wrong, or contradict the other.
"""

from dataclasses import dataclass
from datetime import date, datetime

from readfirst.domain import Header
from readfirst.studies.marks import MarkCode

#: An age above this is none (years).
OLDEST = 115
DAYS_IN_A_YEAR = 365.2425
#: By how much the two may differ: Patient Age is rounded, and may be that of another day (years).
TOLERANCE = 1
#: What devices write where nobody knows: not given, rather than wrong.
NO_AGE = "999Y"
NO_BIRTH_DATES = frozenset({date(1800, 1, 1), date(1900, 1, 1)})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAge:
    """The attributes that say an age, by the same names as in a header."""

    patient_age: str | None
    patient_birth_date: date | None
    study_datetime: datetime | None
    acquisition_datetime: datetime | None


def ages_of(header: Header | KnownAge) -> list[int]:
    """The patient's age in completed years: by PatientAge, and by birth date and study date.

    Both where both are there, since either may be a placeholder; none that nobody can have.
    """
    ages = (_age_by_tag(header), _age_by_birth(header))
    return [years for years in ages if years is not None and _is_possible(years)]


def certain_age(header: Header | KnownAge) -> int | None:
    """The patient's age in completed years; None if none is given, or two contradict each other.

    Of two that differ by as much as rounding does, the lower one.
    """
    ages = ages_of(header)
    return min(ages) if ages and max(ages) - min(ages) <= TOLERANCE else None


def age_doubts(header: Header) -> list[tuple[MarkCode, str]]:
    """List what speaks against the age by which a film is judged, each with what was read."""
    doubts: list[tuple[MarkCode, str]] = []
    if header.patient_age_without_unit and header.patient_age:
        doubts.append((MarkCode.AGE_WITHOUT_UNIT, str(int(header.patient_age[:-1]))))
    by_tag, by_birth = _age_by_tag(header), _age_by_birth(header)
    if by_tag is None or by_birth is None or _is_placeholder(header):
        return doubts
    possible = _is_possible(by_tag) and _is_possible(by_birth)
    if not possible or abs(by_tag - by_birth) > TOLERANCE:
        detail = f"Patient Age {by_tag} y; {_by_birth_text(by_birth)}"
        doubts.append((MarkCode.AGE_CONTRADICTED, detail))
    return doubts


def impossible_age(header: Header) -> str:
    """Say which age was set aside, where none is left; empty where none is given."""
    by_tag, by_birth = _age_by_tag(header), _age_by_birth(header)
    texts = [f"Patient Age {by_tag} y"] if by_tag is not None else []
    texts += [_by_birth_text(by_birth)] if by_birth is not None else []
    return "; ".join(texts)


def _by_birth_text(years: int) -> str:
    return "born after the study" if years < 0 else f"by birth date {years} y"


def _is_possible(years: int) -> bool:
    return 0 <= years <= OLDEST


def _is_placeholder(header: Header) -> bool:
    return header.patient_age == NO_AGE or header.patient_birth_date in NO_BIRTH_DATES


def _age_by_tag(header: Header | KnownAge) -> int | None:
    """PS3.5 6.2, AS: `004Y`, `011M`, `003W`, `009D`."""
    if not header.patient_age:
        return None
    count, unit = int(header.patient_age[:-1]), header.patient_age[-1]
    days = {"D": 1.0, "W": 7.0, "M": DAYS_IN_A_YEAR / 12, "Y": DAYS_IN_A_YEAR}
    # A thousandth keeps 012M from being a day short of a year.
    return int(count * days[unit] / DAYS_IN_A_YEAR + 0.001)


def _age_by_birth(header: Header | KnownAge) -> int | None:
    at = header.study_datetime or header.acquisition_datetime
    if header.patient_birth_date is None or at is None:
        return None
    return _completed_years(header.patient_birth_date, at.date())


def _completed_years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
