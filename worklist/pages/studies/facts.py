"""The facts of a study in words: whose it is, and the answers that a reader may give. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from db.read_models import StudyRecord, VerdictRecord
from db.worklist.patients import OtherStudy
from readfirst.domain import FileKind
from readfirst.formatting import readable_name, readable_probability, short_duration
from readfirst.language.formats import moment_text
from readfirst.language.texts import gettext
from readfirst.refusals import WITHOUT_FILM
from readfirst.studies.findings import Finding, agreement_text, finding_text
from readfirst.studies.marks import Validity
from readfirst.studies.viewer import viewer_link
from worklist.services.study_texts import (
    distinct,
    in_percent,
    indication,
    minute,
    patient_age,
    ward,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer of a reader, always at the same place. say: what the form sends.

    keys: on the keyboard; the first is shown, and the others are those of older releases.
    """

    say: str
    label: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """A verdict of the history. agreement: in words, empty where there is nothing to compare."""

    at: str
    by: str
    what: str
    agreement: str
    comment: str
    ai: str
    blind: bool
    stands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStudyRow:
    """Another study of the same patient. probability: in per cent, None while it is not scored."""

    study_instance_uid: str
    at: str
    what: str
    probability: float | None
    flagged: bool
    validity: Validity
    ai_hidden: bool
    verdict: str


def facts(study: StudyRecord, now: datetime, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """Patient and order, each with its name; what is not known is left out."""
    waited = gettext("{duration} ago").format(duration=short_duration(now - study.received_at))
    rows = {
        gettext("Age"): patient_age(study, zone),
        gettext("Sex"): study.patient_sex,
        gettext("Born"): moment_text(study.patient_birth_date, "day")
        if study.patient_birth_date
        else "",
        gettext("Patient ID"): " @ ".join(distinct((study.patient_id, study.issuer_of_patient_id))),
        gettext("Accession"): study.accession_number,
        gettext("Exam"): ": ".join(filter(None, (_description(study), _taken(study)))),
        gettext("Study time"): minute(study.study_datetime, zone) if study.study_datetime else "",
        gettext("Arrived"): f"{minute(study.received_at, zone)} ({waited})",
        gettext("Institution"): study.institution_name,
        gettext("Referred by"): readable_name(study.referring_physician_name or ""),
        gettext("Ward"): ward(study),
        gettext("Order"): _order(study, zone),
    }
    return tuple((name, value) for name, value in rows.items() if value)


def order_line(study: StudyRecord) -> str:
    """The clinical question in one line; empty where the files do not say it."""
    rows = {
        gettext("Indication"): indication(study),
        gettext("History"): study.additional_patient_history,
    }
    return ". ".join(f"{name}: {value.rstrip('.')}" for name, value in rows.items() if value)


def choices(study: StudyRecord) -> tuple[Choice, ...]:
    """The answers. Neither their places nor their keys depend on the AI.

    Until the next release `a` and `d` still agree and disagree with the AI. A score that is not
    validated, or in doubt, says nothing against pneumonia: there is nothing to agree with.
    """
    if all(image.code in WITHOUT_FILM for image in study.images):
        return (Choice("read", gettext("Dismiss: there is no film"), ("e",)),)
    pneumonia: tuple[str, ...] = ("p",)
    none: tuple[str, ...] = ("x",)
    if study.flagged:
        pneumonia, none = ("p", "a"), ("x", "d")
    elif study.probability is not None and not study.marks:
        pneumonia, none = ("p", "d"), ("x", "a")
    return (
        Choice(Finding.PNEUMONIA, gettext("Pneumonia"), pneumonia),
        Choice(Finding.NO_PNEUMONIA, gettext("No pneumonia"), none),
        Choice(Finding.CANNOT_TELL, gettext("Uncertain"), ("c",)),
        Choice("read", gettext("Mark as read"), ("e",)),
    )


def verdict_row(verdict: VerdictRecord, zone: ZoneInfo) -> VerdictRow:
    """A line of the history."""
    return VerdictRow(
        at=minute(verdict.at, zone),
        by=verdict.by or gettext("somebody"),
        what=gettext("marked as unread") if verdict.withdrawn else finding_text(verdict.finding),
        agreement=agreement_text(verdict.agreement),
        comment=verdict.comment or "",
        ai=_ai(verdict),
        blind=verdict.blind,
        stands=verdict.stands,
    )


def other_study_row(other: OtherStudy, zone: ZoneInfo) -> OtherStudyRow:
    """A line of the patient's other studies."""
    return OtherStudyRow(
        study_instance_uid=other.study_instance_uid,
        at=moment_text(other.at, "day", zone),
        what=", ".join(other.views) or gettext("Picture"),
        probability=None if other.probability is None else in_percent(other.probability),
        flagged=other.flagged,
        validity=other.validity,
        ai_hidden=other.ai_hidden,
        verdict=_verdict_words(other),
    )


def earlier_than(study: StudyRecord, others: Sequence[OtherStudy]) -> list[OtherStudy]:
    """The other studies of a patient that were taken before this one."""
    at = study.study_datetime or study.received_at
    return [other for other in others if other.at < at]


def verdict_on(study: StudyRecord, zone: ZoneInfo) -> str:
    """Name the study that a verdict is on, by its time."""
    if study.study_datetime is not None:
        return gettext("the study of {time}").format(time=minute(study.study_datetime, zone))
    text = gettext("the study that came in on {time}")
    return text.format(time=minute(study.received_at, zone))


def pacs_link(template: str | None, study: StudyRecord) -> str | None:
    """The link to the site's viewer; None without one, and for a study that no PACS has."""
    has_dicom = any(image.kind == FileKind.DICOM for image in study.images)
    if template is None or not has_dicom:
        return None
    made_here = study.study_instance_uid_made_here
    uid = study.shared_study_instance_uid or (None if made_here else study.study_instance_uid)
    values = {"study_instance_uid": uid, "accession_number": study.accession_number}
    return viewer_link(template, values)


def _ai(verdict: VerdictRecord) -> str:
    if verdict.probability is None:
        return gettext("not scored then")
    flag = gettext("flagged") if verdict.flagged else gettext("not flagged")
    text = gettext("AI then: {probability}, {flag}")
    return text.format(probability=readable_probability(verdict.probability), flag=flag)


def _verdict_words(other: OtherStudy) -> str:
    if other.verdict is not None:
        return finding_text(other.verdict.finding)
    return gettext("read elsewhere") if other.read_at is not None else ""


def _order(study: StudyRecord, zone: ZoneInfo) -> str:
    """The priority of the order, when it came, and whether it was cancelled."""
    order = study.order
    if order is None:
        return ""
    words = [order.priority or "", minute(order.received_at, zone)]
    if order.cancelled_at is not None:
        at = minute(order.cancelled_at, zone)
        words.append(gettext("cancelled {time}").format(time=at))
    return ", ".join(filter(None, words))


def _description(study: StudyRecord) -> str | None:
    return study.study_description or study.requested_procedure_description


def _taken(study: StudyRecord) -> str:
    """As `DX PA, DX LL`; of pictures, which say neither, their kinds."""
    images = study.images
    views = distinct(
        " ".join(filter(None, (image.modality, image.view_position))) for image in images
    )
    return ", ".join(views or distinct(image.kind and image.kind.upper() for image in images))
