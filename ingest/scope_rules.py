"""The rules of the scope as a site sets them: one table of patterns for each thing looked at."""

import re
import tomllib
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

from readfirst.errors import Misconfigured

#: The rules that come with ReadFirst, and the form of a site's own.
DEFAULTS = Path(__file__).with_name("scope.toml")
#: A table of the file for each.
TAG_RULES = (
    "modality", "image_type", "presentation_intent", "body_part", "view", "laterality",
    "burned_in_annotation",
)  # fmt: skip
LISTS = ("score", "mark", "refuse")


class Result(IntEnum):
    """What a rule says of an image, the strictest last."""

    SCORE = 0
    MARK = 1
    REFUSE = 2


@dataclass(frozen=True, slots=True)
class TagRule:
    """What becomes of the values of one attribute. Patterns are as `plain` makes them."""

    score: tuple[str, ...]
    mark: tuple[str, ...]
    refuse: tuple[str, ...]
    other: Result
    missing: Result

    def result(self, values: tuple[str, ...]) -> Result:
        """By the strictest list that matches a value, or all of them joined by backslashes."""
        if not values:
            return self.missing
        candidates = [plain(value) for value in (*values, "\\".join(values))]
        lists = ((Result.REFUSE, self.refuse), (Result.MARK, self.mark), (Result.SCORE, self.score))
        for result, patterns in lists:
            if any(matches(pattern, said) for pattern in patterns for said in candidates):
                return result
        return self.other


@dataclass(frozen=True, slots=True)
class AgeRule:
    """What becomes of patients outside the ages that the ensemble was validated on."""

    adult_years: int
    adults: Result
    children_outside: Result
    missing: Result


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """All rules of a site. tags: by name, in the order in which they are asked."""

    tags: dict[str, TagRule]
    age: AgeRule


def plain(written: str) -> str:
    """Capital letters without accents, digits, stars and backslashes: what is compared."""
    letters = normalize("NFKD", written).upper()
    return "".join(one for one in letters if one.isalnum() or one in "*\\")


def matches(pattern: str, value: str) -> bool:
    """Whether a value is one that the pattern means; both as `plain` makes them."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value) is not None


@cache
def default_rules() -> ScopeRules:
    """The rules that come with ReadFirst."""
    return parse_rules(DEFAULTS.read_text())


def load_rules(path: Path | None) -> ScopeRules:
    """The rules in force: the site's file over the defaults. Raises Misconfigured."""
    if path is None:
        return default_rules()
    try:
        return parse_rules(DEFAULTS.read_text(), path.read_text())
    except OSError as error:
        raise Misconfigured(f"READFIRST_SCOPE: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"READFIRST_SCOPE: {path} is no text in UTF-8") from error
    except Misconfigured as error:
        raise Misconfigured(f"READFIRST_SCOPE: {path}: {error}") from error


def parse_rules(defaults: str, site: str = "") -> ScopeRules:
    """Rules from TOML, the site's keys over the defaults'. Pure.

    Raises Misconfigured, which names the line, the rule and the key that is wrong.
    """
    given, own = _tables(defaults), _tables(site)
    for table, keys in own.items():
        _check_table(site, table, keys, given)
        given[table] |= keys
    age = given["age"]
    return ScopeRules(
        {name: _tag_rule(given[name]) for name in TAG_RULES},
        AgeRule(
            age["adult_years"],
            *(Result[age[key].upper()] for key in ("adults", "children_outside", "missing")),
        ),
    )


def _tables(toml: str) -> dict[str, Any]:
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(str(error)) from error


def _tag_rule(keys: dict[str, Any]) -> TagRule:
    score, mark, refuse = (tuple(map(plain, keys[name])) for name in LISTS)
    other, missing = (Result[keys[name].upper()] for name in ("other", "missing"))
    return TagRule(score, mark, refuse, other, missing)


def _check_table(site: str, table: str, keys: Any, known: dict[str, Any]) -> None:
    if table not in known or not isinstance(keys, dict):
        rules = ", ".join(f"[{name}]" for name in known)
        raise Misconfigured(f"line {_line(site, table)}: {table} is none of the rules {rules}")
    for key, value in keys.items():
        wanted = _fault(table, key, value, known[table])
        if wanted:
            line = _line(site, table, key)
            raise Misconfigured(f"line {line}: [{table}] {key} = {value!r}: {wanted}")


def _fault(table: str, key: str, value: Any, known: dict[str, Any]) -> str | None:
    """What a key's value should be, if it is not."""
    if key not in known:
        return f"no such key; there are {', '.join(known)}"
    if key in LISTS:
        lists = isinstance(value, list) and all(
            isinstance(one, str) and plain(one) for one in value
        )
        return None if lists else "must be a list of patterns in quotes"
    if key == "adult_years":
        years = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 120
        return None if years else "must be a whole number of years, 1 to 120"
    # An age outside the population, or unknown, is never validated: it can only be marked.
    allowed = ("mark", "refuse") if table == "age" else ("score", "mark", "refuse")
    return None if value in allowed else f"must be {' or '.join(map(repr, allowed))}"


def _line(toml: str, table: str, key: str | None = None) -> int:
    """Where a table, or a key of it, stands; the first line is 1."""
    inside = False
    for number, line in enumerate(toml.splitlines(), 1):
        if re.match(rf"\s*\[?\s*{re.escape(table)}\s*[\].=]", line):
            inside = True
            if key is None or re.search(rf"\b{re.escape(key)}\b", line.split("#")[0]):
                return number
        elif inside and key is not None and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return number
    return 1
