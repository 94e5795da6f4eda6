"""`scope`: the rules in force, and what they say of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common.console import notice, print_json, print_table
from cli.parts import notice_unused_patterns
from readfirst.errors import Refused
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from ingest.scope.scope import ScopeFinding
    from ingest.scope.scope_rules import ScopeRules
    from readfirst.domain import Ages


def scope(
    explain: Annotated[
        Path | None,
        typer.Option(help="Say what each rule makes of this file.", exists=True, dir_okay=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
    ensemble: Annotated[
        str | None,
        typer.Option(help="Whose ages count. Default: the newest shipped ensemble's."),
    ] = None,
) -> None:
    """Print the rules of what is scored, marked as not validated, or refused."""
    from ingest.scope.scope_rules import load_rules
    from models.manifest import shipped_version
    from worker.scoring.ensemble_registry import EnsembleRegistry

    settings = load_settings()
    rules = load_rules(settings.scope)
    notice_unused_patterns(rules)
    version = ensemble or shipped_version()
    ages = EnsembleRegistry(settings.ensembles_path, settings.precision).ages_of(version)
    if explain is not None:
        _explain(explain, rules, ages, settings, json)
    elif json:
        print_json({"ages": ages, **_as_written(rules)})
    else:
        _print_rules(rules, ages, version)


def _explain(
    path: Path, rules: ScopeRules, ages: Ages | None, settings: Settings, json: bool
) -> None:
    from ingest.reader.reader_process import Reader
    from ingest.scope.scope import check_scope, findings

    with Reader(settings.decode_seconds, settings.decode_megabytes) as reader:
        header = reader.header(path)
    rows = [_as_row(finding) for finding in findings(header, rules, ages)]
    if json:
        print_json(rows)
        return
    columns = ("Rule", "Attribute", "Found", "Result", "Why")
    print_table(str(path), columns, [tuple(row.values()) for row in rows])
    try:
        marks = check_scope(header, rules, ages)
        notice("Scored, and marked as not validated." if marks else "Scored, if the pixels agree.")
    except Refused as refusal:
        notice(f"Refused: {refusal.code}.")


def _as_row(finding: ScopeFinding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "attribute": finding.attribute,
        "found": finding.value,
        "result": finding.result.name.lower(),
        "why": f"{finding.code}: {finding.reason}" if finding.code else "",
    }


def _as_written(rules: ScopeRules) -> dict[str, dict[str, object]]:
    """The rules by name, in the words of the settings file."""
    tags: dict[str, dict[str, object]] = {
        name: {
            **{key: list(getattr(rule, key)) for key in ("score", "mark", "refuse")},
            **{key: getattr(rule, key).name.lower() for key in ("other", "missing")},
        }
        for name, rule in rules.tags.items()
    }
    age: dict[str, object] = {
        key: getattr(rules.age, key).name.lower()
        for key in ("adults", "children_outside", "missing")
    }
    return tags | {"age": {"adult_years": rules.age.adult_years, **age}}


def _print_rules(rules: ScopeRules, ages: Ages | None, version: str) -> None:
    written = _as_written(rules)
    columns = ("Rule", "Score", "Mark", "Refuse", "Other", "Missing")
    rows = [
        (
            name,
            *(", ".join(getattr(rule, key)) for key in ("score", "mark", "refuse")),
            rule.other.name.lower(),
            rule.missing.name.lower(),
        )
        for name, rule in rules.tags.items()
    ]
    print_table("By what the tags say", columns, rows)
    known = f"{ages.from_years} to {ages.to_years} years" if ages else "no ages"
    print_table(
        f"By age; ensemble {version} was validated on {known}",
        ("Key", "Value"),
        [(key, str(value)) for key, value in written["age"].items()],
    )
