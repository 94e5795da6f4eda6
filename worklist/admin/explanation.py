"""Scope rules as people read them, and what they say of one film."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from db.ensembles.versions import active_ensemble
from ingest.reader.reader_process import Reader
from ingest.scope.scope import ScopeFinding, check_scope, findings
from ingest.scope.scope_rules import ScopeRules, default_rules
from models.manifest import available_ensembles, load_manifest, shipped_version
from readfirst.domain import Ages
from readfirst.errors import Misconfigured, Refused
from readfirst.refusals import RefusalCode

LISTS = ("score", "mark", "refuse", "other", "missing")
AGE_KEYS = ("adult_years", "adults", "children_outside", "missing")


class RuleSource(StrEnum):
    """Who wrote a part of a rule."""

    DEFAULT = "default"
    #: The file of READFIRST_SCOPE.
    SITE = "site"


class Outcome(StrEnum):
    """The fate of a film by its header."""

    SCORED = "scored"
    MARKED = "marked"
    REFUSED = "refused"


#: What a rule says of a film, for the page.
RESULT_WORDS = ("score", "mark", "refuse")
SENTENCES = {
    Outcome.SCORED: "This film would be scored, if its pixels are those of a frontal chest film.",
    Outcome.MARKED: "This film would be scored and marked as not validated.",
    Outcome.REFUSED: "This film would not be scored.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePart:
    """A key of a rule with its values, in the words of the settings file."""

    rule: str
    key: str
    values: tuple[str, ...]
    source: RuleSource


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFinding:
    """The result of one rule for the film. decides: the outcome is this rule's."""

    rule: str
    attribute: str
    value: str
    result: str
    code: str | None
    reason: str
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmExplanation:
    """The fate of a film, with the rules. code and reason: of a refusal, by a rule or not."""

    outcome: Outcome
    sentence: str
    code: RefusalCode | None
    reason: str
    findings: tuple[RuleFinding, ...]


def rule_parts(rules: ScopeRules) -> list[RulePart]:
    """Every key of every rule, in the order in which the rules are asked."""
    parts = [
        RulePart(
            rule=name,
            key=key,
            values=_values(getattr(rule, key)),
            source=RuleSource.SITE if rule.is_of_site(key) else RuleSource.DEFAULT,
        )
        for name, rule in rules.tags.items()
        for key in LISTS
    ]
    usual = default_rules().age
    return parts + [
        RulePart(
            rule="age",
            key=key,
            values=_values(getattr(rules.age, key)),
            source=RuleSource.DEFAULT
            if getattr(rules.age, key) == getattr(usual, key)
            else RuleSource.SITE,
        )
        for key in AGE_KEYS
    ]


def explain(path: Path, reader: Reader, rules: ScopeRules, ages: Ages | None) -> FilmExplanation:
    """Say what would become of a file. Raises ReadFirstError where it cannot be read now."""
    try:
        header = reader.header(path)
    except Refused as refusal:
        return _refused(refusal, [])
    rows = findings(header, rules, ages)
    try:
        marks = check_scope(header, rules, ages)
    except Refused as refusal:
        return _refused(refusal, rows)
    outcome = Outcome.MARKED if marks else Outcome.SCORED
    decisive = [row for row in rows if row.code is not None]
    return FilmExplanation(
        outcome=outcome,
        sentence=SENTENCES[outcome],
        code=None,
        reason=" ".join(mark.reason for mark in marks),
        findings=tuple(_finding(row, decides=row in decisive) for row in rows),
    )


def active_ages(session: Session, ensembles: Path) -> tuple[str, Ages | None]:
    """The version that scores now, and the ages that it was validated on; None if unknown."""
    row = active_ensemble(session)
    version = row.version if row else shipped_version()
    try:
        return version, load_manifest(available_ensembles(ensembles)[version]).ages
    except (KeyError, Misconfigured):
        return version, None


def _refused(refusal: Refused, rows: list[ScopeFinding]) -> FilmExplanation:
    first = next((row for row in rows if row.code == refusal.code), None)
    return FilmExplanation(
        outcome=Outcome.REFUSED,
        sentence=SENTENCES[Outcome.REFUSED],
        code=refusal.code,
        reason=refusal.reason,
        findings=tuple(_finding(row, decides=row is first) for row in rows),
    )


def _finding(row: ScopeFinding, *, decides: bool) -> RuleFinding:
    return RuleFinding(
        rule=row.rule,
        attribute=row.attribute,
        value=row.value,
        result=row.result.name.lower(),
        code=row.code.value if row.code else None,
        reason=row.reason,
        decides=decides,
    )


def _values(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(str(each) for each in value)
    return (value.name.lower() if hasattr(value, "name") else str(value),)
