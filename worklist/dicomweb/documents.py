"""The answers of DICOMweb's routes, for the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from worklist.dicomweb.media_types import DICOM, DICOM_JSON, MULTIPART, OCTET_STREAM
from worklist.http.problems import GONE, NOT_FOUND, TAKEN

Answers = dict[int | str, dict[str, Any]]
BINARY = {"schema": {"type": "string", "format": "binary"}}
OBJECTS = {"schema": {"type": "array", "items": {"type": "object"}}}


def _problem(description: str) -> dict[str, Any]:
    return {**TAKEN[400], "description": description}


def query_parameter(name: str, schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    """A parameter of a query that may be left out."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": description,
    }


#: Of all routes.
COMMON: Answers = {
    400: _problem("The address or its query is not understood."),
    406: _problem("It is to be had in no form that is accepted; `detail` says in which."),
}
ROWS: Answers = {200: {"content": {DICOM_JSON: OBJECTS}}}
NO_ROWS: Answers = {204: {"description": "Nothing matches."}, **NOT_FOUND}
METADATA: Answers = ROWS | NOT_FOUND | GONE
INSTANCES: Answers = {
    200: {"content": {MULTIPART: BINARY, DICOM: BINARY}},
    206: {"description": "Some originals were removed.", "content": {MULTIPART: BINARY}},
    **NOT_FOUND,
    **GONE,
}
FRAMES: Answers = {
    200: {"content": {MULTIPART: BINARY, OCTET_STREAM: BINARY, "image/*": BINARY}},
    **NOT_FOUND,
    **GONE,
}
PICTURE: Answers = {
    200: {"content": {"image/jpeg": BINARY, "image/png": BINARY}},
    **NOT_FOUND,
    **GONE,
}
