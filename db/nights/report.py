"""The report of a night: which studies it changed, and how many of each group.

Flags and probabilities are those by which a study ranked before the night and after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json import loads
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, not_, select
from sqlalchemy.orm import Session

from db.disclosures import OfStudy
from db.nights.records import NightRecord
from db.scanner_names import SCANNER, scanner_name
from db.study_conditions import is_read_here, is_unread
from db.tables import EnsembleVersion, Image, RescoredStudy, Score, Study
from readfirst.language.texts import gettext
from readfirst.studies.marks import MARK_WORDS, Mark, MarkCode
from readfirst.studies.prevalence import at_prevalence
from readfirst.studies.score_marks import outside_validation

#: The population that the ensemble was validated on.
VALIDATED = "validated population"
NOT_VALIDATED = "not validated: {reason}"
NEVER_SCORED = "not scored"


class NightChange(StrEnum):
    """The lists of a report. Their values stand in the API."""

    #: Unread ones first, in reading order.
    NEWLY_FLAGGED = "newly_flagged"
    WITHDRAWN = "withdrawn"
    #: Read before the night, and its probability changed much: the greatest change first.
    SECOND_LOOK = "second_look"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightStudy(OfStudy):
    """A study that a night changed. unread, flagged: as it is now; the rest as the night left it.

    population: the ensemble's own, or why the film is outside of it. Probabilities are stated for
    the site's prevalence; null where the study had no score.
    """

    change: NightChange
    number: int
    study_instance_uid: str
    patient_name: str | None
    received_at: datetime
    unread: bool
    flagged: bool
    scanner: str
    population: str
    ensemble_before: str | None
    probability_before: float | None
    flagged_before: bool
    ensemble_after: str | None
    probability_after: float | None
    flagged_after: bool


class GroupKind(StrEnum):
    """The ways in which a report groups its counts."""

    ENSEMBLES = "ensembles"
    POPULATION = "population"
    SCANNER = "scanner"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCounts:
    """Studies that were scored again, and how many of them changed."""

    studies: int
    newly_flagged: int
    withdrawn: int
    second_look: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord:
    """The counts of one group. ensembles: by which a study ranked before and after, as `1 → 2`."""

    kind: GroupKind
    name: str
    counts: ChangeCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """A night, and what it changed.

    second_look_from: the change of the ensembles' own probabilities from which a study that was
    read is listed. unread_flagged: newly flagged ones that are unread now. groups: the greatest
    first.
    """

    night: NightRecord
    second_look_from: float
    counts: ChangeCounts
    unread_flagged: int
    groups: tuple[GroupRecord, ...]


def night_report(session: Session, night: NightRecord, second_look_from: float) -> NightReport:
    """Count what a night changed."""
    groups: dict[tuple[GroupKind, str], ChangeCounts] = {}
    total = NOTHING
    for names, counts in _grouped(session, night.number, second_look_from):
        total = _sum(total, counts)
        for key in names:
            groups[key] = _sum(groups.get(key, NOTHING), counts)
    kinds = list(GroupKind)
    ordered = sorted(
        groups.items(), key=lambda item: (kinds.index(item[0][0]), -item[1].studies, item[0][1])
    )
    unread = (
        select(func.count())
        .select_from(RescoredStudy)
        .join(Study)
        .where(
            RescoredStudy.night_id == night.number, _conditions(second_look_from)[0], is_unread()
        )
    )
    return NightReport(
        night=night,
        second_look_from=second_look_from,
        counts=total,
        unread_flagged=session.scalar(unread) or 0,
        groups=tuple(
            GroupRecord(kind=kind, name=name, counts=counts) for (kind, name), counts in ordered
        ),
    )


def changed_studies(
    session: Session,
    night_number: int,
    change: NightChange,
    second_look_from: float,
    *,
    limit: int,
    prevalence: float | None = None,
    hides_ai: bool = False,
) -> list[NightStudy]:
    """The studies of one list. prevalence: of the site, for which probabilities are stated.

    hides_ai: studies that nobody has given a verdict on are left out, since the AI's result is kept
    from their readers.
    """
    of_list = dict(zip(NightChange, _conditions(second_look_from), strict=True))[change]
    query = _studies().where(RescoredStudy.night_id == night_number, of_list)
    if hides_ai:
        query = query.where(is_read_here())
    query = query.order_by(*_order(change)).limit(limit)
    rows = session.execute(query).all()
    presupposed: dict[str, float | None] = dict(
        session.execute(select(EnsembleVersion.version, EnsembleVersion.prevalence)).all()
    )

    def at_site(probability: float | None, version: str | None) -> float | None:
        if probability is None:
            return None
        return at_prevalence(probability, presupposed.get(version or ""), prevalence)

    return [
        NightStudy(
            change=change,
            number=study.id,
            study_instance_uid=study.study_instance_uid,
            patient_name=study.patient_name,
            received_at=study.received_at,
            unread=study.read_at is None and study.prior_since is None,
            flagged=study.flagged,
            scanner=scanner_name(*scanner),
            population=population(outside_validation(marks or (), unlike)),
            ensemble_before=row.version_before,
            probability_before=at_site(row.probability_before, row.version_before),
            flagged_before=row.flagged_before,
            ensemble_after=row.version_after,
            probability_after=at_site(row.probability_after, row.version_after),
            flagged_after=row.flagged_after,
        )
        for row, study, marks, unlike, *scanner in rows
    ]


def population(marks: Sequence[Mark]) -> str:
    """The population of a film: the ensemble's own, or the first reason why it is outside."""
    return _population([mark.code.value for mark in marks])


def _population(codes: Sequence[str]) -> str:
    known = [MARK_WORDS[MarkCode(code)] for code in codes if code in set(MarkCode)]
    if not known:
        return gettext(VALIDATED)
    return gettext(NOT_VALIDATED).format(reason=gettext(known[0]))


NOTHING = ChangeCounts(studies=0, newly_flagged=0, withdrawn=0, second_look=0)


def _sum(first: ChangeCounts, second: ChangeCounts) -> ChangeCounts:
    return ChangeCounts(
        studies=first.studies + second.studies,
        newly_flagged=first.newly_flagged + second.newly_flagged,
        withdrawn=first.withdrawn + second.withdrawn,
        second_look=first.second_look + second.second_look,
    )


def _conditions(second_look_from: float) -> tuple[ColumnElement[bool], ...]:
    """The studies of each list, in the order of `NightChange`."""
    before, after = RescoredStudy.probability_before, RescoredStudy.probability_after
    return (
        and_(RescoredStudy.flagged_after, not_(RescoredStudy.flagged_before)),
        and_(RescoredStudy.flagged_before, not_(RescoredStudy.flagged_after)),
        # Of what is written in decimal digits, as a bound is, the last bit says nothing.
        and_(RescoredStudy.was_read, func.abs(after - before) >= second_look_from - 1e-9),
    )


def _studies() -> Select[*tuple[Any, ...]]:
    return (
        select(RescoredStudy, Study, Image.marks, Score.unlike, *SCANNER)
        .join(Study, Study.id == RescoredStudy.study_id)
        .outerjoin(Score, Score.id == Study.score_id)
        .outerjoin(Image, Image.id == Score.image_id)
    )


def _order(change: NightChange) -> tuple[Any, ...]:
    if change is NightChange.SECOND_LOOK:
        difference = RescoredStudy.probability_after - RescoredStudy.probability_before
        return (func.abs(difference).desc(), Study.id)
    return (case((is_unread(), 0), else_=1), Study.urgency, Study.reading_key, Study.id)


def _grouped(
    session: Session, night_number: int, second_look_from: float
) -> Iterator[tuple[list[tuple[GroupKind, str]], ChangeCounts]]:
    """The counts of all studies that are alike, with the names of the groups they belong to."""
    marks = cast(Image.marks, String)
    versions = (RescoredStudy.version_before, RescoredStudy.version_after)
    alike = (*versions, marks, Score.unlike, *SCANNER)
    sums = (func.sum(case((each, 1), else_=0)) for each in _conditions(second_look_from))
    query = (
        select(func.count(), *sums, *alike)
        .select_from(RescoredStudy)
        .join(Study, Study.id == RescoredStudy.study_id)
        .outerjoin(Score, Score.id == Study.score_id)
        .outerjoin(Image, Image.id == Score.image_id)
        .where(RescoredStudy.night_id == night_number)
        .group_by(*alike)
    )
    for studies, flagged, withdrawn, looks, before, after, *film in session.execute(query):
        text, unlike, *scanner = film
        codes = [str(mark["code"]) for mark in loads(text or "[]")]
        if unlike:
            codes.append(MarkCode.UNLIKE_VALIDATED)
        names = [
            (
                GroupKind.ENSEMBLES,
                f"{before or gettext(NEVER_SCORED)} → {after or gettext(NEVER_SCORED)}",
            ),
            (GroupKind.POPULATION, _population(codes)),
            (GroupKind.SCANNER, scanner_name(*scanner)),
        ]
        counts = ChangeCounts(
            studies=studies, newly_flagged=flagged, withdrawn=withdrawn, second_look=looks
        )
        yield names, counts
