"""The parameters that several routes take."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AwareDatetime, Field

#: Times of which every zone can be told; what lies outside is a mistake.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
#: PostgreSQL keeps no NUL in a text.
NO_NUL = r"^[^\x00]*$"

Limit = Annotated[int, Query(ge=1, le=1000, description="Most rows.")]
Cursor = Annotated[
    str | None,
    Query(max_length=100, description="Where to go on: from `next` of the page before, as it is."),
]
Since = Annotated[
    Moment | None, Query(description="Only what arrived then or later; a time with its zone.")
]
Until = Annotated[Moment | None, Query(description="Only what arrived before then.")]
#: PS3.5 9.1: digits and dots, 64 at most.
STUDY_UID = r"^[0-9.]{1,64}$"
StudyUid = Annotated[
    str,
    Path(pattern=STUDY_UID, description="Study Instance UID."),
]
Sha256 = Annotated[
    str, Path(pattern=r"^[0-9a-f]{64}$", description="sha256 of the image's original.")
]
