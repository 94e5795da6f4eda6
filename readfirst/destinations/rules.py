"""Rules by which a destination gets the results of some studies only. Pure."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

#: What the files of a study say, by which a rule may choose.
FIELDS = ("institution_name", "study_description", "requested_procedure_description")
#: Patterns of fields. Each field must be like one of its patterns.
Rule = Mapping[str, Sequence[str]]


def is_of_rule(rule: Rule, facts: Mapping[str, str | None]) -> bool:
    """Tell whether a study is one that a rule chooses. facts: by field; a missing one is none.

    A pattern is of the whole value, without regard to case; `*` stands for any characters.
    """
    return all(
        any(_is_like(facts.get(field), pattern) for pattern in patterns)
        for field, patterns in rule.items()
    )


def _is_like(value: str | None, pattern: str) -> bool:
    # Brackets are letters of a name, and no pattern.
    escaped = pattern.casefold().replace("[", "[[]")
    return value is not None and fnmatchcase(value.strip().casefold(), escaped)
