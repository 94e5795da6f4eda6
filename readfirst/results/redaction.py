"""Foreign texts without the patient, whom a receiver's answer may name. Pure."""

import re

from readfirst.results.values import ResultStudy

#: Of a part of a name, so that initials do not tear other words apart.
LEAST_CHARACTERS = 2
REMOVED = "…"


def patient_values(study: ResultStudy) -> frozenset[str]:
    """Return what no log may hold of a patient: ID, parts of the name, birth date in its forms."""
    values = [study.patient_id or "", *re.split(r"[\W_]+", study.patient_name or "")]
    if born := study.patient_birth_date:
        values += [f"{born:%Y%m%d}", f"{born:%Y-%m-%d}", f"{born:%d.%m.%Y}", f"{born:%m/%d/%Y}"]
    return frozenset(value for value in values if len(value.strip()) >= LEAST_CHARACTERS)


def without_values(text: str, values: frozenset[str]) -> str:
    """Return a text with these values taken out, in whatever letters they are written."""
    longest_first = sorted(values, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest_first)
    return re.sub(pattern, REMOVED, text, flags=re.IGNORECASE) if pattern else text
