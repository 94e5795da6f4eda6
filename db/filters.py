"""Which studies of the worklist are meant."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from db.searching import words
from db.tables import Image, Study
from readfirst.domain import ImageState


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
    if sought := words(which.text or ""):
        found.append(_that_say(sought))
    return found


def _that_say(sought: list[str]) -> ColumnElement[bool]:
    # Asked apart, so that a database reads that column's index, and not the studies in their order.
    other = aliased(Study)
    said = (other.search_text.contains(word, autoescape=True) for word in sought)
    return Study.id.in_(select(other.id).where(*said))
