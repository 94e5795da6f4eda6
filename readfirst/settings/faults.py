"""Sentences for settings that are wrong: which one, what it is, and what it must be."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from readfirst.settings.fields import MustBe

#: As many characters of a wrong value are repeated.
MOST_SHOWN = 80
#: Words for a bound, by its name in pydantic.
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def env_name(field: str) -> str:
    """The variable of a setting."""
    return f"READFIRST_{field.upper()}"


def sentences(error: ValidationError, fields: Mapping[str, FieldInfo]) -> list[str]:
    """Return a sentence for each fault. fields: of the settings, by name."""
    return [_sentence(fault, fields) for fault in error.errors(include_url=False)]


def must_be(field: FieldInfo) -> str:
    """Words for all that a setting may be. Raises LookupError where nothing tells it."""
    words = [rule.words for rule in field.metadata if isinstance(rule, MustBe)]
    if words:
        return words[0]
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"{', '.join(others)} or {last}"
    kinds = get_args(field.annotation) or (field.annotation,)
    if bool in kinds:
        return "true or false"
    if int in kinds or float in kinds:
        number = "a whole number" if int in kinds else "a number"
        return f"{number} {_range(_bounds(field))}"
    raise LookupError("a setting without words for what it must be")


def is_hidden(field: FieldInfo) -> bool:
    """Tell whether a value is never repeated, since it may hold a password."""
    kinds = get_args(field.annotation) or (field.annotation,)
    marks = [rule for rule in field.metadata if isinstance(rule, MustBe)]
    return SecretStr in kinds or any(mark.hidden for mark in marks)


def _sentence(fault: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    if not fault["loc"]:
        # Several settings that do not fit: their check says it in a sentence of its own.
        return str(fault["ctx"]["error"])
    name = str(fault["loc"][0])
    field, value = fields[name], fault["input"]
    text = "not valid" if is_hidden(field) else _quoted(value)
    return f"{env_name(name)} is {text}; it must be {_bound(fault) or must_be(field)}."


def _bound(fault: ErrorDetails) -> str | None:
    """The bound that a number breaks; None if the fault is another, as with what is no number."""
    broken = BOUNDS.keys() & fault.get("ctx", {}).keys()
    if not broken or "nan" in str(fault["input"]).lower():
        return None
    (bound,) = broken
    return f"{BOUNDS[bound]} {_number(fault['ctx'][bound])}"


def _quoted(value: Any) -> str:
    """A value as the site wrote it; what is odd about it can be seen."""
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    if not text:
        return "empty"
    if len(text) > MOST_SHOWN:
        text = f"{text[:MOST_SHOWN]}…"
    return text if text.isprintable() and text == text.strip() else repr(text)


def _bounds(field: FieldInfo) -> dict[str, float]:
    return {
        kind: getattr(rule, kind)
        for rule in field.metadata
        for kind in BOUNDS
        if hasattr(rule, kind)
    }


def _range(bounds: Mapping[str, float]) -> str:
    numbers = {kind: _number(bound) for kind, bound in bounds.items()}
    if "ge" in numbers:
        highest = numbers["le"] if "le" in numbers else f"below {numbers['lt']}"
        return f"from {numbers['ge']} to {highest}"
    return " and ".join(f"{BOUNDS[kind]} {number}" for kind, number in numbers.items())


def _number(number: float) -> str:
    """A number without exponent, and without decimals that say nothing."""
    return f"{Decimal(str(number)):f}".removesuffix(".0")
