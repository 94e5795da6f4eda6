"""Which studies of the worklist are meant."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from db.tables import Image, Study
from readfirst.domain import ImageState

#: What a text is looked for in.
SEARCHED = (Study.patient_name, Study.patient_id, Study.accession_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """Which studies are meant: all that every given condition holds for."""

    flagged: bool = False
    #: True: only those that nobody has read, or not since an image came in; False: only read ones.
    unread: bool | None = None
    #: With an image that was refused.
    refused: bool = False
    #: Institution Name, as the films say it.
    institution: str | None = None
    #: Arrived then or later, and before then.
    since: datetime | None = None
    until: datetime | None = None
    #: Words, each of which is in the patient's name or ID or the accession number.
    text: str | None = None


EVERYTHING = WorklistFilter()


def conditions(which: WorklistFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions of a query for studies."""
    # A study is empty after its only image, refused, turned out to belong to another one.
    found: list[ColumnElement[bool]] = [Study.images.any()]
    if which.flagged:
        found.append(Study.flagged.is_(True))
    if which.unread is not None:
        found.append(Study.read_at.is_(None) if which.unread else Study.read_at.is_not(None))
    if which.refused:
        refused = select(Image.study_id).where(Image.state == ImageState.REFUSED)
        found.append(Study.id.in_(refused))
    if which.institution is not None:
        found.append(Study.institution_name == which.institution)
    if which.since is not None:
        found.append(Study.received_at >= which.since)
    if which.until is not None:
        found.append(Study.received_at < which.until)
    # In a name (PS3.5 6.2, PN) the parts stand apart by carets, so each word is looked for alone.
    found += [_contains(word) for word in (which.text or "").split()]
    return found


def _contains(word: str) -> ColumnElement[bool]:
    return or_(*(column.icontains(word, autoescape=True) for column in SEARCHED))
