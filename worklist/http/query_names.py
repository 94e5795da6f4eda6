"""The names of query parameters: one that an operation does not have is a fault.

A filter that is misspelt would else be left out without a word, and the answer taken for less than
it is.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from fastapi import Request
from fastapi.exceptions import RequestValidationError

#: How alike two names must be for one to be taken for the other, from 0 to 1.
ALIKE = 0.6


async def check_query_names(request: Request) -> None:
    """Raises RequestValidationError for parameters that the operation does not have."""
    if not request.query_params:
        return
    known = _query_names(request)
    faults = [
        {"type": "unknown", "loc": ("query",), "msg": _sentence(number, name, known)}
        for number, name in enumerate(dict.fromkeys(request.query_params.keys()), start=1)
        if name not in known
    ]
    if faults:
        raise RequestValidationError(faults)


def _query_names(request: Request) -> list[str]:
    """The parameters of the operation, as the document of the API has them."""
    operation_id = request.scope["route"].operation_id
    (operation,) = (
        operation
        for path in request.app.openapi()["paths"].values()
        for operation in path.values()
        if operation.get("operationId") == operation_id
    )
    parameters = operation.get("parameters", [])
    return [each["name"] for each in parameters if each["in"] == "query"]


def _sentence(number: int, name: str, known: Sequence[str]) -> str:
    """A sentence without the name itself, which may be a patient's."""
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=ALIKE)
    if near:
        return f"Parameter {number} is not known here; did you mean `{near[0]}`?"
    names = ", ".join(f"`{each}`" for each in known)
    return f"Parameter {number} is not known here; {f'known are {names}' if known else 'none is'}."
