"""The earlier films of a patient: theirs, of a chest, and old enough to be no unread work."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from readfirst.pacs.matches import PacsSeries, PacsStudy
from readfirst.pacs.priors import (
    NewStudy,
    can_be_asked_for,
    candidates,
    is_of_chest,
    latest_day,
)
from readfirst.studies.identity import Patient
from readfirst.studies.priors import StudyDates, prior_reason

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
AFTER = timedelta(days=90)
BORN = date(2022, 3, 14)
STUDY = NewStudy(
    id=1,
    study_instance_uid="1.2",
    patient=Patient(patient_id="P", issuer_of_patient_id="HOSP", patient_birth_date=BORN),
    taken_at=NOW,
    received_at=NOW,
)
PRIOR = PacsStudy(study_instance_uid="1.3", study_date=date(2026, 1, 1), patient_id="P")
LAST = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("changes", "is_one"),
    [
        ({}, True),
        ({"issuer_of_patient_id": "HOSP"}, True),
        ({"issuer_of_patient_id": "OTHER"}, False),
        ({"patient_id": "Q"}, False),
        ({"patient_id": None}, False),
        ({"patient_birth_date": BORN}, True),
        ({"patient_birth_date": date(2022, 3, 15)}, False),
        ({"study_date": None}, False),
        ({"study_date": LAST}, True),
        ({"study_date": LAST + timedelta(days=1)}, False),
        ({"study_instance_uid": "1.2"}, False),
    ],
)
def test_only_earlier_studies_of_this_patient_are_taken(
    changes: dict[str, object], is_one: bool
) -> None:
    study = replace(PRIOR, **changes)  # type: ignore[arg-type]
    assert candidates(STUDY, [study], LAST) == [study] * is_one


def test_the_newest_come_first() -> None:
    days = [date(2026, 1, 1), date(2026, 5, 1), date(2025, 1, 1)]
    studies = [
        replace(PRIOR, study_instance_uid=f"1.3.{number}", study_date=day)
        for number, day in enumerate(days)
    ]
    taken = [each.study_date for each in candidates(STUDY, studies, LAST)]
    assert taken == sorted(days, reverse=True)


@pytest.mark.parametrize(
    "taken_at",
    [None, NOW, NOW - timedelta(days=3), NOW + timedelta(hours=20), NOW + timedelta(days=9)],
)
def test_what_is_fetched_is_a_prior_when_it_comes_in(taken_at: datetime | None) -> None:
    study = replace(STUDY, taken_at=taken_at)
    last = latest_day(study, NOW, AFTER, UTC)
    at_its_end = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=UTC)
    prior = StudyDates(taken_at=at_its_end, received_at=NOW)
    this = StudyDates(taken_at=taken_at, received_at=NOW)
    assert prior_reason(prior, [this], AFTER) is not None


@pytest.mark.parametrize(
    ("series", "is_one"),
    [
        (PacsSeries(series_instance_uid="1", modality="CR", body_part_examined="CHEST"), True),
        (PacsSeries(series_instance_uid="1", modality="DX", body_part_examined="Thorax pa"), True),
        (PacsSeries(series_instance_uid="1", modality="DX"), True),
        (PacsSeries(series_instance_uid="1", modality="DX", body_part_examined="KNEE"), False),
        (PacsSeries(series_instance_uid="1", modality="CT", body_part_examined="CHEST"), False),
    ],
)
def test_only_films_of_a_chest_are_taken(series: PacsSeries, is_one: bool) -> None:
    assert is_of_chest([series]) is is_one


@pytest.mark.parametrize(("patient_id", "can"), [("P-1", True), ("*", False), (None, False)])
def test_a_patient_is_asked_for_by_an_id_that_is_no_pattern(
    patient_id: str | None, can: bool
) -> None:
    assert can_be_asked_for(Patient(patient_id=patient_id)) is can
