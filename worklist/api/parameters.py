"""The parameters of routes."""

import re
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AwareDatetime, BeforeValidator, Field

from readfirst.calendar import EARLIEST_MOMENT, LATEST_MOMENT, parse_day

#: What a date-time begins with (RFC 3339); pydantic would take a number for seconds since 1970.
DATE_BEGINS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[^0-9]")
#: pydantic would take `1_000` too.
NUMBER_FORM = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _as_day(written: Any) -> Any:
    return parse_day(written) if isinstance(written, str) else written


def _is_moment(written: Any) -> Any:
    if isinstance(written, str) and not DATE_BEGINS.match(written):
        raise ValueError("a time is wanted, as 2026-01-31T08:30:00Z")
    return written


def _is_number(written: Any) -> Any:
    if isinstance(written, str) and not NUMBER_FORM.fullmatch(written):
        raise ValueError("a number is wanted, of digits alone")
    return written


AsDay, AsMoment = BeforeValidator(_as_day), BeforeValidator(_is_moment)
AsNumber = BeforeValidator(_is_number)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST_MOMENT, le=LATEST_MOMENT), AsMoment]
#: PostgreSQL keeps no NUL in a text.
NO_NUL = r"^[^\x00]*$"

Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum rows."), AsNumber]
Cursor = Annotated[
    str | None,
    Query(max_length=100, description="Where to go on: from `next` of the page before, as it is."),
]
Since = Annotated[
    Moment | None, Query(description="Only what arrived then or later; a time with its zone.")
]
Until = Annotated[Moment | None, Query(description="Only what arrived before then.")]
RefusedSince = Annotated[
    Moment | None, Query(description="Only what was refused then or later; a time with its zone.")
]
GivenSince = Annotated[
    Moment | None, Query(description="Only what was given then or later; a time with its zone.")
]
GivenUntil = Annotated[Moment | None, Query(description="Only what was given before then.")]
#: PS3.5 9.1: digits and dots, 64 at most.
STUDY_UID = r"^[0-9.]{1,64}$"
StudyUid = Annotated[
    str,
    Path(pattern=STUDY_UID, description="Study Instance UID."),
]
#: A digest in hexadecimal.
SHA256 = r"^[0-9a-f]{64}$"
Sha256 = Annotated[str, Path(pattern=SHA256, description="sha256 of the image's original.")]
WindowCenter = Annotated[
    Annotated[float, Field(ge=-1e6, le=1e6), AsNumber] | None,
    Query(description="Window centre, in what the modality LUT gives."),
]
WindowWidth = Annotated[
    Annotated[float, Field(ge=1, le=1e6), AsNumber] | None, Query(description="Window width.")
]
Longest = Annotated[
    Annotated[int, Field(ge=16, le=65535), AsNumber] | None,
    Query(description="Most samples of the longer side. Default: every pixel."),
]
HeatMapVersion = Annotated[
    str | None,
    Query(
        max_length=64,
        pattern=NO_NUL,
        description="Of the ensemble. Default: the map that was made last.",
    ),
]
