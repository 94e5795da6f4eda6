"""The query of a search (PS3.18 8.3.4): matching, included attributes, limit and offset."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import translate
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import HTTPException, Request
from pydicom.datadict import keyword_for_tag

from db.dicomweb.search import StudyMatch
from db.dicomweb.search_images import ImageMatch
from readfirst.calendar import parse_day
from worklist.dicomweb.documents import query_parameter
from worklist.dicomweb.json_model import JsonObject, tag_of, values_of

#: Most studies of one answer.
MOST_STUDIES = 1000
#: An offset beyond it has nothing behind it, and no database takes any number.
MOST_OFFSET = 10**9
#: Of one value: more is no search, and would keep the database busy.
MOST_CHARACTERS, MOST_STARS = 4096, 8
#: Attributes of a study that can be searched for as texts, and their columns.
STUDY_TEXTS = {
    "PatientName": "patient_name",
    "PatientID": "patient_id",
    "AccessionNumber": "accession_number",
    "ReferringPhysicianName": "referring_physician_name",
    "StudyDescription": "study_description",
}
STUDY_KEYS = (*STUDY_TEXTS, "StudyInstanceUID", "StudyDate", "ModalitiesInStudy")
SERIES_KEYS = ("SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription")
INSTANCE_KEYS = ("SOPClassUID", "SOPInstanceUID", "InstanceNumber")
OTHERS = ("limit", "offset", "includefield", "fuzzymatching", "accept")
TAG = re.compile(r"[0-9A-Fa-f]{8}")
DAY = re.compile(r"[0-9]{8}")
#: PS3.18 8.3.4.2.
NO_FUZZY = (
    '299 readfirst "The fuzzymatching parameter is not supported. '
    'Only literal matching has been performed."'
)
#: PS3.18 8.3.4.4.
MORE = '299 readfirst "There are additional results that can be requested."'


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a search. matches: by keyword. included: tags; None: all attributes."""

    limit: int = MOST_STUDIES
    offset: int = 0
    matches: Mapping[str, str] = field(default_factory=dict)
    included: frozenset[str] | None = frozenset()
    warnings: tuple[str, ...] = ()

    def study_match(self, zone: ZoneInfo) -> StudyMatch:
        """The studies that are wanted. zone: in which dates are. Raises HTTPException 400."""
        since, until = _days(self.matches.get("StudyDate", ""), zone)
        return StudyMatch(
            study_instance_uids=_listed(self.matches.get("StudyInstanceUID", "")),
            texts=tuple(
                (column, self.matches[keyword])
                for keyword, column in STUDY_TEXTS.items()
                if self.matches.get(keyword)
            ),
            since=since,
            until=until,
            modalities=_listed(self.matches.get("ModalitiesInStudy", "")),
        )

    def image_match(self, zone: ZoneInfo) -> ImageMatch:
        """The images that are wanted, of all studies. Raises HTTPException 400."""
        return ImageMatch(
            study=self.study_match(zone),
            series_instance_uids=_listed(self.matches.get("SeriesInstanceUID", "")),
            sop_instance_uids=_listed(self.matches.get("SOPInstanceUID", "")),
            modalities=_listed(self.matches.get("Modality", "")),
        )

    def page(self, rows: Sequence[JsonObject]) -> list[JsonObject]:
        """Those of all rows that are wanted."""
        wanted = [row for row in rows if self._matches(row)]
        return wanted[self.offset : self.offset + self.limit]

    def _matches(self, row: JsonObject) -> bool:
        for keyword, wanted in self.matches.items():
            values = values_of(row.get(tag_of(keyword), {}))
            if keyword.endswith("UID"):
                listed = set(_listed(wanted))
                if listed and not listed & set(values):
                    return False
            elif wanted and not any(_is_like(value, wanted) for value in values or [""]):
                return False
        return True


def read_query(request: Request, keys: Sequence[str], most: int = MOST_STUDIES) -> Query:
    """Read a query in which these attributes may be searched for.

    most: rows of one answer. Raises HTTPException 400.
    """
    matches: dict[str, str] = {}
    included: set[str] = set()
    numbers = {"limit": most, "offset": 0}
    all_included, warnings = False, []
    for name, value in request.query_params.multi_items():
        if "\0" in value or len(value) > MOST_CHARACTERS or value.count("*") > MOST_STARS:
            raise HTTPException(400, "A value of the query is no text, or too long.")
        if name in numbers:
            numbers[name] = _number(name, value)
        elif name == "includefield":
            wanted = [each for each in value.split(",") if each]
            all_included |= "all" in wanted
            included |= {_included_tag(each) for each in wanted if each != "all"}
        elif name == "fuzzymatching":
            warnings += [NO_FUZZY] if _boolean(value) else []
        elif name not in OTHERS:
            matches[_key(name, keys)] = value
    return Query(
        min(numbers["limit"], most),
        min(numbers["offset"], MOST_OFFSET),
        matches,
        None if all_included else frozenset(included),
        tuple(warnings),
    )


def query_parameters(keys: Sequence[str], most: int = MOST_STUDIES) -> dict[str, Any]:
    """The parameters of such a query, for the document."""
    text = {"type": "string"}
    described: list[tuple[str, Mapping[str, Any], str]] = [
        *((key, text, "Matches this attribute; its tag will do as a name, too.") for key in keys),
        ("limit", {"type": "integer", "minimum": 0}, f"Maximum rows, at most {most}."),
        ("offset", {"type": "integer", "minimum": 0}, "Rows that are passed over."),
        ("includefield", text, "More attributes, by keywords or tags with commas, or `all`."),
        ("fuzzymatching", {"type": "boolean"}, "Is answered by a warning: matching is literal."),
        ("accept", text, "In place of the header Accept."),
    ]
    return {"parameters": [query_parameter(*each) for each in described]}


def _key(name: str, keys: Sequence[str]) -> str:
    keyword = keyword_for_tag(name) if TAG.fullmatch(name) else name
    if keyword not in keys:
        # Without the name, which may be a patient's.
        raise HTTPException(400, f"Only these can be searched for here: {', '.join(keys)}.")
    return keyword


def _included_tag(name: str) -> str:
    if TAG.fullmatch(name):
        return name.upper()
    try:
        return tag_of(name)
    except KeyError as error:
        raise HTTPException(400, "includefield names no attribute of DICOM.") from error


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise HTTPException(400, f"{name} is a whole number, 0 or more.")
    return int(value)


def _boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise HTTPException(400, "fuzzymatching is true or false.")
    return value == "true"


def _listed(value: str) -> tuple[str, ...]:
    """Several values in one: with commas (PS3.18 8.3.4.1), or as in a file."""
    return tuple(each for each in re.split(r"[,\\]", value) if each and each != "*")


def _days(value: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The moments between which a day, or a range of days, lies (PS3.4 C.2.2.2.5)."""
    first, dash, last = value.partition("-")
    if not value or value == "*":
        return None, None
    begin = _day(first) if first else None
    end = (_day(last) if last else None) if dash else begin
    if begin is end is None:
        raise HTTPException(400, NO_DAY)
    try:
        after = end + timedelta(days=1) if end else None
        return _moment(begin, zone), _moment(after, zone)
    except OverflowError as error:
        raise HTTPException(400, NO_DAY) from error


NO_DAY = "StudyDate is a day or a range of days, as 20260301, 20260301-20260331 or 20260301-."


def _day(text: str) -> date:
    try:
        if not DAY.fullmatch(text):
            raise ValueError(text)
        return parse_day(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    except ValueError as error:
        raise HTTPException(400, NO_DAY) from error


def _moment(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone).astimezone(UTC) if day else None


def _is_like(value: str, wanted: str) -> bool:
    """Compare with the signs of PS3.4 C.2.2.2.4; brackets stand for themselves."""
    pattern = translate(wanted.replace("[", "[[]"))
    return re.fullmatch(pattern, value, re.IGNORECASE) is not None
