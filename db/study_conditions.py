"""Conditions of studies that several subjects ask for."""

from sqlalchemy import ColumnElement, and_, case, func, or_

from db.tables import Image, Score, Study
from readfirst.refusals import WITHOUT_FILM, RefusalCode

#: Made once, as they are part of every query of the list.
_IS_FILM = or_(Image.code.is_(None), Image.code.not_in(WITHOUT_FILM))
_HAS_FILM = Study.images.any(_IS_FILM)


def is_film() -> ColumnElement[bool]:
    """Images whose file may hold a film, refused or not."""
    return _IS_FILM


def has_film() -> ColumnElement[bool]:
    """Studies of which a file may hold a film, refused or not."""
    return _HAS_FILM


def is_not_replaced() -> ColumnElement[bool]:
    """Images in whose place no whole one has come: the score of a part is not that of the film."""
    return Image.code.is_distinct_from(RefusalCode.REPLACED_BY_WHOLE)


def is_unread() -> ColumnElement[bool]:
    """Studies that are to be read: nobody has read them, and they are no priors."""
    return and_(Study.read_at.is_(None), Study.prior_since.is_(None))


def is_read_here() -> ColumnElement[bool]:
    """Studies with a verdict that stands: not those that were only read in another system."""
    return and_(Study.read_at.is_not(None), Study.read_at.is_distinct_from(Study.reported_at))


def counting_threshold() -> ColumnElement[float]:
    """The threshold by which a score counts in its study: that of the study's rank.

    A score of another ensemble or population than those by which the study ranks has the one of
    its time.
    """
    return case(
        (_is_of_rank(), func.coalesce(Study.threshold, Score.threshold)), else_=Score.threshold
    )


def counting_threshold_version() -> ColumnElement[int]:
    """The version of that threshold."""
    own = Score.threshold_version
    return case((_is_of_rank(), func.coalesce(Study.threshold_version, own)), else_=own)


def _is_of_rank() -> ColumnElement[bool]:
    same_population = Study.population.is_not_distinct_from(Score.population)
    return and_(Study.ensemble_version == Score.ensemble_version, same_population)
