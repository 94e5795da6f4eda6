"""What the page of a study says of it in words: whose it is, and what a reader may answer. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from db.patients import OtherStudy
from db.views import StudyView, VerdictView
from readfirst.domain import FileKind
from readfirst.findings import AGREEMENT_WORDS, Finding, said
from readfirst.viewer import viewer_link
from readfirst.words import age_at, readable_age, readable_name, short_duration

PNEUMONIA, NO_PNEUMONIA = "Pneumonia", "No pneumonia"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a reader. key: on the keyboard; empty where the AI gave nothing to answer."""

    finding: Finding
    label: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVerdict:
    """One verdict of the history. agreement: in words, empty where there is nothing to compare."""

    at: str
    by: str
    what: str
    agreement: str
    comment: str
    ai: str
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOther:
    """Another study of the same patient. probability: in per cent, None while it is not scored."""

    study_instance_uid: str
    at: str
    what: str
    probability: float | None
    flagged: bool
    marked: bool
    verdict: str


def patient_name(study: StudyView) -> str:
    """Whose it is; for a picture, which says nothing, the name of its file."""
    if study.patient_name:
        return readable_name(study.patient_name)
    return study.images[0].file_name.rsplit("/", 1)[-1] if study.images else "No image"


def facts(study: StudyView, now: datetime, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """Patient and order, each with its name; what is not known is left out."""
    at = study.study_datetime and study.study_datetime.astimezone(zone)
    age = study.patient_age or age_at(study.patient_birth_date, at)
    waits = f" ({short_duration(now - study.received_at)} ago)"
    told = {
        "Age": readable_age(age) if age else "",
        "Sex": study.patient_sex,
        "Born": study.patient_birth_date.strftime("%d %b %Y") if study.patient_birth_date else "",
        "Patient ID": " @ ".join(_distinct((study.patient_id, study.issuer_of_patient_id))),
        "Accession": study.accession_number,
        "Taken": _taken(study),
        "Study time": _moment(at, zone),
        "Arrived": _moment(study.received_at, zone) + waits,
        "Institution": study.institution_name,
        "Referred by": readable_name(study.referring_physician_name or ""),
    }
    return tuple((name, value) for name, value in told.items() if value)


def choices(study: StudyView) -> tuple[Choice, Choice]:
    """The two clear answers, worded by what the AI said. A score that is not validated says
    nothing against pneumonia, so there is nothing to agree with.
    """
    if study.flagged:
        return (
            Choice(Finding.PNEUMONIA, "Agree: pneumonia", "a"),
            Choice(Finding.NO_PNEUMONIA, "Disagree: no pneumonia", "d"),
        )
    if study.probability is None or study.marks:
        return Choice(Finding.PNEUMONIA, PNEUMONIA), Choice(Finding.NO_PNEUMONIA, NO_PNEUMONIA)
    return (
        Choice(Finding.NO_PNEUMONIA, "Agree: no pneumonia", "a"),
        Choice(Finding.PNEUMONIA, "Disagree: pneumonia", "d"),
    )


def shown_verdict(verdict: VerdictView, zone: ZoneInfo) -> ShownVerdict:
    """One line of the history."""
    return ShownVerdict(
        at=_moment(verdict.at, zone),
        by=verdict.by or "somebody",
        what="marked as unread" if verdict.withdrawn else said(verdict.finding),
        agreement=AGREEMENT_WORDS[verdict.agreement] if verdict.agreement else "",
        comment=verdict.comment or "",
        ai=_ai(verdict),
        stands=verdict.stands,
    )


def shown_other(other: OtherStudy, zone: ZoneInfo) -> ShownOther:
    """One line of the patient's other studies."""
    return ShownOther(
        study_instance_uid=other.study_instance_uid,
        at=other.at.astimezone(zone).strftime("%d %b %Y"),
        what=", ".join(other.views) or "Picture",
        probability=None if other.probability is None else round(100 * other.probability, 2),
        flagged=other.flagged,
        marked=other.marked,
        verdict=said(other.verdict.finding) if other.verdict else "",
    )


def pacs_link(template: str | None, study: StudyView) -> str | None:
    """Where the site's viewer shows this study; None without one, and for what no PACS has."""
    has_dicom = any(image.kind == FileKind.DICOM for image in study.images)
    if template is None or not has_dicom:
        return None
    uid = study.shared_study_instance_uid or study.study_instance_uid
    values = {"study_instance_uid": uid, "accession_number": study.accession_number}
    return viewer_link(template, values)


def _ai(verdict: VerdictView) -> str:
    if verdict.probability is None:
        return "not scored then"
    flag = "flagged" if verdict.flagged else "not flagged"
    return f"AI then: {verdict.probability:.2f}, {flag}"


def _taken(study: StudyView) -> str:
    """As `DX PA, DX LL`; of pictures, which say neither, their kinds."""
    images = study.images
    views = _distinct(
        " ".join(filter(None, (image.modality, image.view_position))) for image in images
    )
    return ", ".join(views or _distinct(image.kind and image.kind.upper() for image in images))


def _distinct(told: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(filter(None, told)))


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%d %b %Y %H:%M") if at else ""
