"""The texts of studies and scanners that pages share. Pure."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from db.monitoring.scanners import EVERY_SCANNER, OTHER_SCANNERS
from db.read_models import StudyRecord
from db.scanner_names import UNKNOWN_SCANNER
from readfirst.formatting import age_at, readable_age, readable_name
from readfirst.language.formats import moment_text
from readfirst.language.texts import gettext

#: Stands where the files name nobody.
NO_NAME = "No name"
#: What stands in place of a scanner's name.
SCANNER_WORDS = (EVERY_SCANNER, OTHER_SCANNERS, UNKNOWN_SCANNER)


def scanner_text(scanner: str) -> str:
    """The name of a scanner, or words for several of them or for an unknown one."""
    return gettext(scanner) if scanner in SCANNER_WORDS else scanner


def patient_name(study: StudyRecord) -> str:
    """The patient's name; where the files give none, this and the name of the first file."""
    name = readable_name(study.patient_name or "")
    return name or f"{gettext(NO_NAME)} ({first_file(study)})"


def first_file(study: StudyRecord) -> str:
    """The name of a study's first file, without its folders."""
    return study.images[0].file_name.rsplit("/", 1)[-1] if study.images else gettext("no image")


def examination(study: StudyRecord) -> str:
    """The examination, as `Chest AP`; of a picture, which does not say it, its kind."""
    described = study.study_description or study.requested_procedure_description
    if described:
        return described
    parts = distinct(image.body_part_examined for image in study.images)
    views = ", ".join(distinct(image.view_position for image in study.images))
    if parts:
        return f"{', '.join(parts).capitalize()} {views}".strip()
    modalities = "/".join(distinct(image.modality for image in study.images))
    kinds = " ".join(distinct(image.kind and image.kind.upper() for image in study.images))
    return f"{modalities} {views}".strip() or kinds


def indication(study: StudyRecord) -> str:
    """The reason why it was ordered, in one line; empty where nobody says it.

    That of the order stands where the files say none, and says so. A description that says nothing
    new is left out.
    """
    reason = study.reason_for_the_requested_procedure or ""
    procedure = study.requested_procedure_description or ""
    if not reason and study.order is not None and study.order.indication:
        return from_order(study.order.indication)
    return reason or ("" if procedure == examination(study) else procedure)


def ward(study: StudyRecord) -> str:
    """Where the patient lies, as the order says it; empty where it does not."""
    return from_order(study.order.ward) if study.order is not None and study.order.ward else ""


def read_elsewhere(study: StudyRecord) -> str:
    """Who read the study in another system, in words; empty where no report stands."""
    if study.reported_at is None:
        return ""
    if not study.reported_by:
        return gettext("Read elsewhere")
    return gettext("Read elsewhere by {reader}").format(reader=study.reported_by)


def from_order(text: str) -> str:
    """Mark a text as from the order, and not from the files."""
    return gettext("{text} (from the order)").format(text=text)


def patient_age(study: StudyRecord, zone: ZoneInfo) -> str:
    """The age that the header states, or that at the study; empty where neither is known."""
    at = study.study_datetime and study.study_datetime.astimezone(zone)
    age = study.patient_age or age_at(study.patient_birth_date, at)
    return readable_age(age) if age else ""


def distinct(texts: Iterable[str | None]) -> list[str]:
    """Each text once, in its order."""
    return list(dict.fromkeys(filter(None, texts)))


def minute(at: datetime, zone: ZoneInfo) -> str:
    """A moment as `31 Jan 2026 09:05`, in the site's zone."""
    return moment_text(at, "minute", zone)


def in_percent(share: float) -> float:
    """A share in per cent, for bars."""
    return round(100 * share, 2)
