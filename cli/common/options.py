"""Options that commands of all kinds share."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from readfirst.errors import Misconfigured

StudyName = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="Its number in `readfirst worklist`, or its UID."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]

Value = TypeVar("Value", bound=StrEnum)


def named_forms(known: type[Value], names: Iterable[str], text: str) -> tuple[Value, ...]:
    """The forms of results of these names. Raises Misconfigured, and quotes the option's text."""
    try:
        return tuple(known(name) for name in names)
    except ValueError as error:
        listed = ", ".join(form.value for form in known)
        raise Misconfigured(
            f"--form {text!r} is not understood. Write one or more of {listed}, with commas "
            "between them."
        ) from error
