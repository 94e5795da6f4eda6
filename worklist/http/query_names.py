"""The names of query parameters: one that an operation does not have is a fault.

A filter that is misspelt would else be left out without a word, and the answer taken for less than
it is.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, Final
from weakref import WeakKeyDictionary

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

#: How alike two names must be for one to be taken for the other, from 0 to 1.
ALIKE = 0.6
#: By the function of an operation.
_QUERY_NAMES: Final[WeakKeyDictionary[Callable[..., Any], list[str]]] = WeakKeyDictionary()


async def check_query_names(request: Request) -> None:
    """Raises RequestValidationError for parameters that the operation does not have."""
    if not request.query_params:
        return
    known = _query_names(request.scope["route"])
    faults = [
        {"type": "unknown", "loc": ("query",), "msg": _sentence(number, name, known)}
        for number, name in enumerate(dict.fromkeys(request.query_params.keys()), start=1)
        if name not in known
    ]
    if faults:
        raise RequestValidationError(faults)


def _query_names(route: APIRoute) -> list[str]:
    """The parameters of the operation, as the document of the API has them.

    FastAPI describes this route alone: to describe all takes a third of a second.
    """
    if route.endpoint not in _QUERY_NAMES:
        paths = get_openapi(title="", version="", routes=[route])["paths"]
        ((operation,),) = (operations.values() for operations in paths.values())
        parameters = operation.get("parameters", [])
        _QUERY_NAMES[route.endpoint] = [
            each["name"] for each in parameters if each["in"] == "query"
        ]
    return _QUERY_NAMES[route.endpoint]


def _sentence(number: int, name: str, known: Sequence[str]) -> str:
    """A sentence without the name itself, which may be a patient's."""
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=ALIKE)
    if near:
        return f"Parameter {number} is not known here; did you mean `{near[0]}`?"
    names = ", ".join(f"`{each}`" for each in known)
    return f"Parameter {number} is not known here; {f'known are {names}' if known else 'none is'}."
