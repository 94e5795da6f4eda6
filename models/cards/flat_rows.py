"""Values of any depth as rows of a table, for what has no table of its own."""

from collections.abc import Iterator, Mapping
from typing import Any

from readfirst.language.formats import number_text

#: The keys of a figure with its interval.
_ESTIMATE = {"value", "low", "high"}


def flat_rows(facts: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Give facts as rows: each of a nested one by the keys that lead to it."""
    for key, value in facts.items():
        name = f"{within}: {key}" if within else key
        if isinstance(value, list | tuple) and any(isinstance(each, dict) for each in value):
            value = {str(each.get("name", n)): each for n, each in enumerate(value, 1)}
        if not isinstance(value, dict):
            yield name, flat_cell(value)
        elif value.keys() == _ESTIMATE:
            interval = f"{flat_cell(value['low'])}–{flat_cell(value['high'])}"
            yield name, f"{flat_cell(value['value'])} ({interval})"
        elif any(isinstance(each, dict | list) for each in value.values()):
            yield from flat_rows(value, name)
        else:
            yield name, ", ".join(f"{part} {flat_cell(each)}" for part, each in value.items())


def flat_cell(value: Any) -> str:
    """Write one value: a number with four digits that count, lists with commas."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return number_text(value, ".4g")
    if isinstance(value, list | tuple):
        return ", ".join(map(flat_cell, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return number_text(value, ",")
    return str(value)
