"""The earlier films of a patient that are fetched for comparison. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from readfirst.pacs.matches import PacsSeries, PacsStudy
from readfirst.studies.identity import Patient, is_same
from readfirst.studies.priors import A_DAY

#: Body Part Examined (0018,0015) of a chest film, as devices write it in several languages.
CHEST = re.compile(r"CHEST|THORA|TORA|LUNG|PULM|LEKTHO|BRUST|PECHO", re.IGNORECASE)
#: A value that an archive may take for a pattern, or for several values.
PATTERN = re.compile(r"[*?\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStudy:
    """A study that came in, whose earlier films are wanted."""

    id: int
    study_instance_uid: str
    patient: Patient
    taken_at: datetime | None
    received_at: datetime


def can_be_asked_for(patient: Patient) -> bool:
    """Tell whether a patient can be asked for by their ID, and nobody else comes of it."""
    return patient.patient_id is not None and not PATTERN.search(patient.patient_id)


def latest_day(study: NewStudy, now: datetime, prior_after: timedelta, zone: tzinfo) -> date:
    """Return the last Study Date of an earlier study that will surely be a prior when it comes in.

    It is if it is old, or if it was taken a day ago and before this one. prior_after: the age from
    which it is old. Only a study whose own time can be believed is known to be later than others.
    """
    taken_at = study.taken_at
    if taken_at is None or taken_at > study.received_at + A_DAY:
        return (now - prior_after).astimezone(zone).date() - A_DAY
    before_this = taken_at.astimezone(zone).date() - A_DAY
    a_day_old = (now - A_DAY).astimezone(zone).date() - A_DAY
    return min(before_this, a_day_old)


def candidates(study: NewStudy, studies: Iterable[PacsStudy], last: date) -> list[PacsStudy]:
    """Return the earlier studies of this patient and of nobody else, the newest first.

    One that says another birth date is somebody else's, whatever its ID. last: `latest_day`.
    """
    return sorted(
        (
            each
            for each in studies
            if each.study_instance_uid != study.study_instance_uid
            and each.study_date is not None
            and each.study_date <= last
            and _is_of(study.patient, each)
        ),
        key=lambda each: each.study_date or last,
        reverse=True,
    )


def is_of_chest(series: Iterable[PacsSeries]) -> bool:
    """Tell whether a study has a film of a chest, or one of which nobody says what it shows."""
    films = [each for each in series if each.is_film]
    return any(
        each.body_part_examined is None or CHEST.search(each.body_part_examined) for each in films
    )


def _is_of(patient: Patient, study: PacsStudy) -> bool:
    born, says = patient.patient_birth_date, study.patient_birth_date
    if born is not None and says is not None and born != says:
        return False
    named = Patient(patient_id=study.patient_id, issuer_of_patient_id=study.issuer_of_patient_id)
    return is_same(patient, named)
