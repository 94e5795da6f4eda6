"""The rules of the scope as a site sets them: one table of patterns for each thing looked at."""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
)

from ingest.scope.patterns import Span, pattern_of, spans, words_of
from readfirst.errors import Misconfigured

#: The rules that come with ReadFirst, and the form of a site's own.
DEFAULTS = Path(__file__).with_name("scope.toml")


class Result(IntEnum):
    """The result of a rule for an image, the strictest last."""

    SCORE = 0
    MARK = 1
    REFUSE = 2


def _result(*allowed: str) -> Callable[[Any], Result]:
    def read(written: Any) -> Result:
        if written not in allowed:
            raise ValueError("none of the results")
        return Result[written.upper()]

    return read


#: The lists of patterns of a rule, by what their patterns make of a value.
LISTS = ("score", "mark", "refuse")
_ALL = ("score", "mark", "refuse")
# An age outside the population, or unknown, is never validated: it can only be marked.
_NEVER_SCORED = ("mark", "refuse")
#: A pattern as `ingest.scope.patterns` takes it; something must be left of it.
Pattern = Annotated[str, AfterValidator(pattern_of), Field(min_length=1)]
# The descriptions say, behind "must be", what a wrong value should have been.
Patterns = Annotated[tuple[Pattern, ...], Field(description="a list of patterns in quotes")]
AnyResult = Annotated[
    Result,
    BeforeValidator(_result(*_ALL)),
    Field(description=" or ".join(map(repr, _ALL))),
]
MarkOrRefuse = Annotated[
    Result,
    BeforeValidator(_result(*_NEVER_SCORED)),
    Field(description=" or ".join(map(repr, _NEVER_SCORED))),
]
Years = Annotated[
    int, Field(strict=True, ge=1, le=120, description="a whole number of years, 1 to 120")
]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(NamedTuple):
    """A pattern that means letters of a value. of_site: a list of the site's own names it."""

    result: Result
    key: str
    pattern: str
    span: Span
    of_site: bool

    def outweighs(self, other: "Match") -> bool:
        """Tell whether this one is more specific: it names all letters of the other, and more.

        A default never sets aside what a site says itself.
        """
        return self.span.covers(other.span) and (self.of_site or not other.of_site)


class TagRule(_Table):
    """The rule for the values of one attribute."""

    score: Patterns
    mark: Patterns
    refuse: Patterns
    other: AnyResult
    missing: AnyResult
    #: The lists that a site's own file names.
    _of_site: frozenset[str] = PrivateAttr(default=frozenset())

    def is_of_site(self, key: str) -> bool:
        """Tell whether a site's own file names this list."""
        return key in self._of_site

    def result(self, values: tuple[str, ...], *, each: bool = False) -> Result:
        """Return the strictest result of the patterns that count.

        each: every value must be known; else one that no pattern means has no say beside others.
        """
        if not values:
            return self.missing
        matches = self.matches(values)
        results = [match.result for match in matches]
        if each and _leaves_one(values, matches):
            results.append(self.other)
        return max(results, default=self.other)

    def matches(self, values: tuple[str, ...]) -> list[Match]:
        """List the patterns that count: all that mean something, but for less specific ones."""
        every = [
            Match(Result[key.upper()], key, pattern, span, self.is_of_site(key))
            for key in LISTS
            for pattern in getattr(self, key)
            for span in spans(pattern, values)
        ]
        return [match for match in every if not any(other.outweighs(match) for other in every)]


def _leaves_one(values: tuple[str, ...], matches: list[Match]) -> bool:
    """Tell whether there is a value of which no pattern means a letter."""
    start = 0
    for text in map(words_of, values):
        if text and not any(match.span.meets(start, start + len(text)) for match in matches):
            return True
        start += len(text) + 1
    return False


class AgeRule(_Table):
    """The rule for patients outside the ages that the ensemble was validated on."""

    adult_years: Years
    adults: MarkOrRefuse
    children_outside: MarkOrRefuse
    missing: MarkOrRefuse


class _RulesFile(_Table):
    """The file, a table for each rule, in the order in which they are asked."""

    modality: TagRule
    image_type: TagRule
    presentation_intent: TagRule
    body_part: TagRule
    view: TagRule
    laterality: TagRule
    burned_in_annotation: TagRule
    age: AgeRule


#: A table of the file for each.
TAG_RULES = tuple(name for name in _RulesFile.model_fields if name != "age")


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """All rules of a site. tags: by name, in the order in which they are asked."""

    tags: dict[str, TagRule]
    age: AgeRule


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
    own = _tables(site)
    merged = _tables(defaults)
    for name, table in own.items():
        both = isinstance(table, dict) and name in merged
        merged[name] = merged[name] | table if both else table
    try:
        file = _RulesFile.model_validate(merged)
    except ValidationError as error:
        raise Misconfigured(_sentence(error.errors()[0]["loc"], site, own)) from error
    tags: dict[str, TagRule] = {name: getattr(file, name) for name in TAG_RULES}
    for name, rule in tags.items():
        rule._of_site = frozenset(own.get(name, ()))
    return ScopeRules(tags, file.age)


def _tables(toml: str) -> dict[str, Any]:
    try:
        return tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        if not re.search(r"\bline \d", text):
            # It speaks of the end of the file, where a value that was begun has no end.
            *_, (line, _) = _statements(toml)
            text = f"line {line}: {text}"
        raise Misconfigured(text) from error


def _sentence(location: tuple[int | str, ...], site: str, own: dict[str, Any]) -> str:
    """Say what is wrong at a location, which begins with a table and a key of it."""
    table, *keys = map(str, location)
    rule = _RulesFile.model_fields.get(table)
    if rule is None:
        rules = ", ".join(f"[{name}]" for name in _RulesFile.model_fields)
        return f"line {_line(site, table)}: {table} is none of the rules {rules}"
    if not keys:
        return f"line {_line(site, table)}: {table} must be a table, as [{table}] begins one"
    key = keys[0]
    known: dict[str, Any] = (AgeRule if rule.annotation is AgeRule else TagRule).model_fields
    wanted = (
        f"must be {known[key].description}"
        if key in known
        else f"no such key; there are {', '.join(known)}"
    )
    return f"line {_line(site, table, key)}: [{table}] {key} = {own[table][key]!r}: {wanted}"


def _line(toml: str, *names: str) -> int:
    """Number the line at which a table, or a key of it, begins; the first line is 1."""
    return next(line for line, tables in _statements(toml) if _has(tables, names))


def _statements(toml: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Go through the statements: the line at which each begins, and what is said up to its end.

    Lines are added one by one; in the middle of a value of several lines they are no TOML. What
    has no end is the last one, and says nothing.
    """
    lines, begin = toml.replace("\r\n", "\n").split("\n"), 1
    for number in range(1, len(lines) + 1):
        try:
            tables = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        yield begin, tables
        begin = number + 1
    if begin <= len(lines):
        yield begin, {}


def _has(tables: Any, names: tuple[str, ...]) -> bool:
    for name in names:
        if not isinstance(tables, dict) or name not in tables:
            return False
        tables = tables[name]
    return True
