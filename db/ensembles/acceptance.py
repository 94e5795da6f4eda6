"""The acceptance of an ensemble at this site: labelled studies, reports, and their signatures.

Labels come from verdicts, or from a table of the reports that other systems wrote. The caller owns
the transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, note
from db.ensembles.thresholds import active_thresholds
from db.ensembles.unknown_ensemble import unknown_ensemble
from db.scanner_names import SCANNER, scanner_name
from db.study_conditions import is_not_replaced
from db.tables import Acceptance, Image, Score, Study, Verdict
from db.verdicts import latest_verdicts
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.statistics.acceptance import AcceptanceReport, LabelledStudy, Promise, accept
from readfirst.studies.findings import LABELS, Finding
from readfirst.studies.score_marks import outside_validation

REPORTS = TypeAdapter(AcceptanceReport)
UNKNOWN = "unknown"
#: Where labels come from.
SOURCES = ("the verdicts of readers", "a table of {count} studies")
#: What became of labels that do not count, by their number.
LEFT_OUT = (
    "{count} labelled studies that it has not scored are left out",
    "{count} labels are of no study here",
    "{count} labels fit several studies",
    "{count} studies have two labels",
)
VERDICTS, TABLE = SOURCES


@dataclass(frozen=True, slots=True)
class StudyLabel:
    """A label of a study, named by its UID or its accession number. sick: it shows pneumonia."""

    study_instance_uid: str | None
    accession_number: str | None
    sick: bool


@dataclass(frozen=True, slots=True)
class MatchedLabels:
    """Labels by study, by the numbers of their rows, and how many labels fit no study, or several.

    contradicted: studies that two labels disagree about; they are left out.
    """

    by_study: Mapping[int, bool]
    unknown: int = 0
    ambiguous: int = 0
    contradicted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceRecord:
    """A report that is kept. signed_by, signed_at: None while nobody has signed it."""

    number: int
    ensemble_version: str
    threshold_version: int
    made_at: datetime
    made_by: str | None
    signed_by: str | None
    signed_at: datetime | None
    report: AcceptanceReport


def verdict_labels(session: Session) -> MatchedLabels:
    """The labels that the latest verdicts give; who cannot tell gives none."""
    query = select(Verdict.study_id, Verdict.finding).where(
        Verdict.id.in_(latest_verdicts()), Verdict.finding.in_(LABELS)
    )
    rows = session.execute(query)
    return MatchedLabels({study: finding is Finding.PNEUMONIA for study, finding in rows})


def match_labels(session: Session, labels: Iterable[StudyLabel]) -> MatchedLabels:
    """Find the studies of labels. An accession number may be of several studies: of none then."""
    uids, accessions = _study_names(session)
    by_study: dict[int, bool] = {}
    contradicted: set[int] = set()
    unknown = ambiguous = 0
    for label in labels:
        studies = uids.get(label.study_instance_uid or "", [])
        studies = studies or accessions.get(label.accession_number or "", [])
        if len(studies) != 1:
            unknown, ambiguous = unknown + (not studies), ambiguous + bool(studies)
            continue
        if by_study.setdefault(studies[0], label.sick) != label.sick:
            contradicted.add(studies[0])
    agreed = {study: sick for study, sick in by_study.items() if study not in contradicted}
    return MatchedLabels(agreed, unknown, ambiguous, len(contradicted))


def labelled_studies(
    session: Session, ensemble_version: str, labels: Mapping[int, bool]
) -> list[LabelledStudy]:
    """The labelled studies that an ensemble has scored, each by its most suspicious film.

    Of its first population, whose threshold is accepted.
    """
    query = (
        select(Image.study_id, Score.probability, Image.marks, Score.unlike, Image.view_position)
        .add_columns(*SCANNER, Study.received_at, Study.patient_sex)
        .join(Score, Score.image_id == Image.id)
        .join(Study, Image.study_id == Study.id)
        .where(Score.ensemble_version == ensemble_version, Score.population.is_(None))
        .where(is_not_replaced())
        .order_by(Score.probability, Score.id)
    )
    by_study: dict[int, LabelledStudy] = {}
    for study_id, probability, marks, unlike, view, *scanner, received_at, sex in session.execute(
        query
    ):
        if study_id in labels:
            # The last one of a study has the highest probability.
            by_study[study_id] = LabelledStudy(
                probability=probability,
                sick=labels[study_id],
                received_at=received_at,
                validated=not outside_validation(marks, unlike),
                sex=sex or UNKNOWN,
                scanner=scanner_name(*scanner),
                view=view or UNKNOWN,
            )
    return list(by_study.values())


def make_report(
    session: Session,
    promise: Promise,
    labels: MatchedLabels,
    source: str,
    now: datetime,
    site_prevalence: float | None = None,
) -> AcceptanceReport:
    """Measure an ensemble at the site. source: where the labels come from, a sentence.

    Raises Misconfigured for an unknown ensemble, and unless studies of both labels are scored.
    """
    version = promise.ensemble_version
    threshold = active_thresholds(session).by_ensemble.get(version)
    if threshold is None:
        raise unknown_ensemble(version)
    studies = labelled_studies(session, version, labels.by_study)
    sick = sum(study.sick for study in studies)
    if sick in (0, len(studies)):
        raise Misconfigured(
            gettext(
                "Ensemble {version} has scored {studies} labelled studies, {sick} with pneumonia: "
                "an acceptance needs studies with and without."
            ).format(version=version, studies=len(studies), sick=sick)
        )
    left_out = len(labels.by_study) - len(studies)
    return accept(
        studies,
        promise,
        threshold=threshold.value,
        threshold_version=threshold.version,
        labels=_described(source, labels, left_out),
        made_at=now,
        site_prevalence=site_prevalence,
    )


def keep_report(
    session: Session, report: AcceptanceReport, made_by: str | None
) -> AcceptanceRecord:
    """Keep a report, to be signed."""
    row = Acceptance(
        ensemble_version=report.ensemble_version,
        threshold_version=report.threshold_version,
        made_at=report.made_at,
        made_by=made_by,
        report=to_jsonable_python(report),
    )
    session.add(row)
    session.flush()
    return _record(row)


def sign(session: Session, number: int, actor: Actor, at: datetime) -> AcceptanceRecord:
    """Sign a report, and note it. Raises Misconfigured without an account, and for a signed one."""
    row = session.get(Acceptance, number, with_for_update=True)
    if row is None:
        raise Misconfigured(
            gettext("There is no acceptance report {number}.").format(number=number)
        )
    if actor.account is None:
        raise Misconfigured(gettext("A report is signed by a named account: log in, or name one."))
    if row.signed_at is not None:
        raise Misconfigured(
            gettext("Acceptance report {number} has been signed by {name}.").format(
                number=number, name=row.signed_by
            )
        )
    row.signed_by, row.signed_at = actor.account, at
    detail: dict[str, Any] = {
        "acceptance": number,
        "ensemble": row.ensemble_version,
        "threshold_version": row.threshold_version,
    }
    note(session, actor, AuditAction.ACCEPTANCE_SIGNED, at, **detail)
    session.flush()
    return _record(row)


def acceptances(session: Session, limit: int = 50) -> list[AcceptanceRecord]:
    """The latest reports, the latest first."""
    query = select(Acceptance).order_by(Acceptance.id.desc()).limit(limit)
    return [_record(row) for row in session.scalars(query)]


def acceptance(session: Session, number: int) -> AcceptanceRecord | None:
    """The report of a number; None if there is none."""
    row = session.get(Acceptance, number)
    return None if row is None else _record(row)


def is_accepted(session: Session, ensemble_version: str) -> bool:
    """Tell whether a lead has ever signed a report of an ensemble."""
    query = select(Acceptance.id).where(
        Acceptance.ensemble_version == ensemble_version, Acceptance.signed_at.is_not(None)
    )
    return session.scalar(query.limit(1)) is not None


def _study_names(session: Session) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Studies by each UID that is theirs, and by accession number."""
    uids: dict[str, list[int]] = {}
    accessions: dict[str, list[int]] = {}
    query = select(
        Study.id, Study.study_instance_uid, Study.shared_study_instance_uid, Study.accession_number
    ).where(Study.images.any())
    for study_id, uid, shared, accession in session.execute(query):
        for name in {uid, shared or uid}:
            uids.setdefault(name, []).append(study_id)
        if accession:
            accessions.setdefault(accession, []).append(study_id)
    return uids, accessions


def _described(source: str, labels: MatchedLabels, left_out: int) -> str:
    """Say where labels come from, and what became of those that do not count."""
    counts = (left_out, labels.unknown, labels.ambiguous, labels.contradicted)
    pairs = zip(LEFT_OUT, counts, strict=True)
    left = [text.format(count=count) for text, count in pairs if count]
    return f"{source}{'; ' if left else ''}{', '.join(left)}."


def labels_text(described: str) -> str:
    """Where the labels of a report come from, as it is kept, in the language that is spoken."""
    source, _, left = described.removesuffix(".").partition("; ")
    parts = [_of_count(part) for part in left.split(", ") if part]
    return f"{_of_count(source)}{'; ' if parts else ''}{', '.join(parts)}."


def _of_count(text: str) -> str:
    """Translate a text of `SOURCES` or `LEFT_OUT` with its number; another one stays."""
    number = next((word for word in text.split() if word.isdigit()), None)
    if number is None:
        return gettext(text)
    return gettext(text.replace(number, "{count}", 1)).format(count=number)


def _record(row: Acceptance) -> AcceptanceRecord:
    return AcceptanceRecord(
        number=row.id,
        ensemble_version=row.ensemble_version,
        threshold_version=row.threshold_version,
        made_at=row.made_at,
        made_by=row.made_by,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        report=REPORTS.validate_python(row.report),
    )
