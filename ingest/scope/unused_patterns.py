"""Patterns of the rules that can never decide anything, each with its reason. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from ingest.scope.scope_rules import LISTS, Match, Result, ScopeRules, TagRule
from readfirst.language.texts import gettext

#: Letters of no pattern, to stand for whatever a star means.
ANYTHING = "ΨΩΨ"


class UnusedPattern(NamedTuple):
    """A pattern without any effect.

    stronger: what always counts instead; None where no value can look like the pattern.
    """

    rule: str
    key: str
    pattern: str
    stronger: Match | None

    @property
    def sentence(self) -> str:
        """Say which pattern it is, and why nothing comes of it."""
        named = f"[{self.rule}] {self.key} = {self.pattern!r}"
        if self.stronger is None:
            text = gettext("{pattern} has no effect: no value can look like it.")
            return text.format(pattern=named)
        text = gettext(
            "{pattern} has no effect: {other} means all of the same values, and is stricter."
        )
        strong = f"{self.stronger.key} = {self.stronger.pattern!r}"
        return text.format(pattern=named, other=strong)


def unused_patterns(rules: ScopeRules) -> list[UnusedPattern]:
    """List the patterns without effect.

    A default that has none since a site's own rules leave no room for it is not listed.
    """
    return [unused for name, rule in rules.tags.items() for unused in _of_rule(name, rule)]


def _of_rule(name: str, rule: TagRule) -> Iterator[UnusedPattern]:
    for key in LISTS:
        for pattern in getattr(rule, key):
            deciding = list(_deciding(rule, key, pattern))
            if any(match and (match.key, match.pattern) == (key, pattern) for match in deciding):
                continue
            stronger = next(filter(None, deciding), None)
            by_site = stronger is not None and rule.is_of_site(stronger.key)
            if rule.is_of_site(key) or not by_site:
                yield UnusedPattern(name, key, pattern, stronger)


def _deciding(rule: TagRule, key: str, pattern: str) -> Iterator[Match | None]:
    """Find what decides on values that a pattern means: itself, where it is of the strictest."""
    result = Result[key.upper()]
    for value in _values_of(pattern):
        matches = rule.matches(tuple(filter(None, value.split("\\"))))
        strictest = max((match.result for match in matches), default=result)
        own = [match for match in matches if (match.key, match.pattern) == (key, pattern)]
        if own and strictest <= result:
            yield own[0]
        else:
            yield next((match for match in matches if match.result > result), None)


def _values_of(pattern: str) -> Iterator[str]:
    """Make values that a pattern means: the plainest, and such with more at each star."""
    by_words = " " in pattern
    for filling in ("", ANYTHING, f"{ANYTHING} {ANYTHING}"):
        if not by_words:
            yield pattern.replace("*", filling if pattern.strip("*") else filling or ANYTHING)
            continue
        words = [filling if word == "*" else word for word in pattern.split(" ")]
        inside = "" if " " in filling else filling
        yield " ".join(word.replace("*", inside) for word in words if word)
