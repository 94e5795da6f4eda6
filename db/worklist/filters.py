"""Filters of the worklist."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased

from db.study_conditions import has_film, is_read_here, is_unread
from db.tables import Image, Study
from db.tables.searching import SEARCHED, search_words
from db.worklist.figure_filter import FigureFilter, figure_conditions
from readfirst.domain import ImageState, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilter:
    """The studies for which every condition holds that is set."""

    flagged: bool = False
    stat: bool = False
    #: True: only unread work, which nobody has read, or not since an image came in, and which is no
    #: prior; False: only read ones.
    unread: bool | None = None
    #: With a verdict that stands: not those that were only read in another system.
    read_here: bool = False
    #: True: only priors, read or not; False: none of them.
    prior: bool | None = None
    #: With an image that was refused.
    refused: bool = False
    #: Institution Name, as the films say it.
    institution: str | None = None
    #: Arrived then or later, and before then.
    since: datetime | None = None
    until: datetime | None = None
    #: Words, each of which is in the patient's name or ID or the accession number, as people type
    #: them (`db.tables.searching`).
    text: str | None = None
    #: The studies behind a figure of the monitoring.
    figure: FigureFilter | None = None

    @property
    def includes_files(self) -> bool:
        """True if studies without any film are meant too."""
        return self.refused or (self.figure is not None and self.figure.code is not None)


EVERYTHING = WorklistFilter()
_OTHER = aliased(Study)


def conditions(which: WorklistFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions of a query for studies."""
    # A study is empty after its only image, refused, turned out to belong to another one.
    clauses: list[ColumnElement[bool]] = [
        Study.images.any() if which.includes_files else has_film()
    ]
    if which.flagged:
        clauses.append(Study.flagged.is_(True))
    if which.stat:
        clauses.append(Study.urgency == Urgency.STAT)
    if which.unread is not None:
        clauses.append(is_unread() if which.unread else Study.read_at.is_not(None))
    if which.read_here:
        clauses.append(is_read_here())
    if which.prior is not None:
        clauses.append(
            Study.prior_since.is_not(None) if which.prior else Study.prior_since.is_(None)
        )
    if which.refused:
        refused = select(Image.study_id).where(Image.state == ImageState.REFUSED)
        clauses.append(Study.id.in_(refused))
    if which.institution is not None:
        clauses.append(Study.institution_name == which.institution)
    if which.since is not None:
        clauses.append(Study.received_at >= which.since)
    if which.until is not None:
        clauses.append(Study.received_at < which.until)
    if (which.text or "").strip():
        clauses.append(_contains(which.text or ""))
    if which.figure is not None:
        clauses.extend(figure_conditions(which.figure))
    return clauses


def _contains(text: str) -> ColumnElement[bool]:
    """Each word is in the searched column; or, of a text of signs alone, each sign in a value."""
    # Asked apart, so that a database reads that column's index, and not the studies in their order.
    words = search_words(text)
    if words:
        clauses = [or_(*(_OTHER.search_text.contains(form) for form in forms)) for forms in words]
    else:
        values = [getattr(_OTHER, name) for name in SEARCHED]
        clauses = [
            or_(*(value.contains(sign, autoescape=True) for value in values))
            for sign in text.split()
        ]
    return Study.id.in_(select(_OTHER.id).where(*clauses))
