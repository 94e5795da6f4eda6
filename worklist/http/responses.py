"""Responses: JSON or CSV by what is asked for, 304 for what the client has."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic_core import to_json

from readfirst.printable import spreadsheet_text

#: RFC 9110 12.4.2: a quality, 0 to 1, of three digits behind the point.
QUALITY_FORM = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class Format(StrEnum):
    """How rows are written."""

    JSON = "json"
    CSV = "csv"


Wanted = Annotated[
    Format | None,
    Query(alias="format", description="How rows are written. Default: what Accept asks for."),
]
MEDIA_TYPES = {Format.JSON: "application/json", Format.CSV: "text/csv"}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "What If-None-Match names is still so."}
}
ROWS_ARE_CSV: dict[str, Any] = {
    "content": {"text/csv": {"schema": {"type": "string"}}},
    "headers": {
        "ETag": {"schema": {"type": "string"}},
        "Link": {"schema": {"type": "string"}, "description": '`rel="next"`: the next page.'},
    },
}
#: Of routes that answer as JSON or CSV, for the document.
ROWS: dict[int | str, dict[str, Any]] = {200: ROWS_ARE_CSV, **NOT_MODIFIED}


def chosen(request: Request, wanted: Format | None) -> Format:
    """CSV if it is asked for and preferred to JSON (RFC 9110 12.5.1), else JSON."""
    if wanted is not None:
        return wanted
    accepted = request.headers.get("accept", "")
    csv_wish, json_wish = wish(accepted, "text/csv"), wish(accepted, "application/json")
    return Format.CSV if csv_wish > json_wish else Format.JSON


def answer(request: Request, content: bytes, media_type: str, *, next_page: str | None) -> Response:
    """The content with its ETag, or 304 without it. next_page: address of the next page."""
    headers = {"Vary": "Accept", "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    if next_page is not None:
        headers["Link"] = f'<{next_page}>; rel="next"'
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


def answer_json(request: Request, content: Any) -> Response:
    """Answer with JSON and its ETag."""
    return answer(request, as_json(content), MEDIA_TYPES[Format.JSON], next_page=None)


def answer_rows(
    request: Request,
    wanted: Format | None,
    kind: type[Any],
    rows: Sequence[Any],
    *,
    whole: Any = None,
    next_page: str | None = None,
) -> Response:
    """Rows of one dataclass as JSON or CSV. whole: what JSON says in their place, if not they."""
    form = chosen(request, wanted)
    is_csv = form is Format.CSV
    content = as_csv(kind, rows) if is_csv else as_json(rows if whole is None else whole)
    return answer(request, content, MEDIA_TYPES[form], next_page=next_page)


def has_already(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names this ETag (RFC 9110 13.1.2)."""
    named = [tag.strip().removeprefix("W/") for tag in _if_none_match(request).split(",")]
    return etag in named or "*" in named


def as_json(content: Any) -> bytes:
    """Frozen dataclasses, or lists of them, as JSON."""
    return to_json(content)


def as_csv(kind: type[Any], rows: Iterable[Any]) -> bytes:
    """Rows of one dataclass as CSV (RFC 4180), with a header line even when there is none."""
    names = [field.name for field in fields(kind)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    """A value as the text of a cell; all but numbers and times are of others' making."""
    if isinstance(value, int | float | datetime | date) and not isinstance(value, bool):
        return value.isoformat() if isinstance(value, date) else str(value)
    return spreadsheet_text(_text(value))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps(value)
    if is_dataclass(value):
        return as_json(value).decode()
    if isinstance(value, tuple):
        return _listed(value)
    return str(value)


def _listed(values: Sequence[Any]) -> str:
    """The codes of what has codes, else how many there are."""
    codes = [getattr(value, "code", None) for value in values]
    return " ".join(str(code) for code in codes) if codes and all(codes) else str(len(values))


def _if_none_match(request: Request) -> str:
    return request.headers.get("if-none-match", "")


def wish(accepted: str, media_type: str) -> float:
    """The quality that an Accept header gives to a media type by its own name; 0 without."""
    for entry in accepted.split(","):
        name, *parameters = [part.strip() for part in entry.split(";")]
        if name.lower() == media_type:
            return _quality(parameters)
    return 0.0


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            return float(parameter[2:]) if QUALITY_FORM.fullmatch(parameter[2:]) else 0.0
    return 1.0
