"""Identifiers of queries, and answers of a PACS, which may be anything."""

from datetime import date

import pytest
from pydicom.dataset import Dataset

from ingest.pacs.datasets import (
    STUDY_KEYS,
    date_range,
    identifier,
    retrieve_identifier,
    study_keys,
    study_match,
)
from ingest.pacs.statuses import status_sentence
from readfirst.pacs.matches import RetrieveTarget, StudyQuery

DAY, NEXT = date(2026, 11, 3), date(2026, 11, 4)


@pytest.mark.parametrize(
    ("from_date", "to_date", "text"),
    [
        (DAY, DAY, "20261103"),
        (DAY, NEXT, "20261103-20261104"),
        (DAY, None, "20261103-"),
        (None, DAY, "-20261103"),
        (None, None, None),
    ],
)
def test_days_are_a_range(from_date: date | None, to_date: date | None, text: str | None) -> None:
    assert date_range(from_date, to_date) == text


def test_a_request_names_its_level_its_keys_and_what_is_to_come_back() -> None:
    query = StudyQuery(from_date=DAY, to_date=DAY, modality="CR")
    dataset = identifier("STUDY", study_keys(query), STUDY_KEYS)
    assert dataset.QueryRetrieveLevel == "STUDY"
    assert (dataset.StudyDate, dataset.ModalitiesInStudy) == ("20261103", "CR")
    assert "NumberOfStudyRelatedInstances" in dataset
    assert "SpecificCharacterSet" not in dataset
    foreign = identifier("STUDY", study_keys(StudyQuery(patient_id="Ä-1")), STUDY_KEYS)
    assert foreign.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize(
    ("target", "level"),
    [
        (RetrieveTarget("1.2"), "STUDY"),
        (RetrieveTarget("1.2", "1.3"), "SERIES"),
        (RetrieveTarget("1.2", "1.3", "1.4"), "IMAGE"),
    ],
)
def test_a_retrieval_has_the_keys_of_its_level(target: RetrieveTarget, level: str) -> None:
    dataset = retrieve_identifier(target)
    assert dataset.QueryRetrieveLevel == level
    assert ("SeriesInstanceUID" in dataset) == (level != "STUDY")
    assert ("SOPInstanceUID" in dataset) == (level == "IMAGE")


def test_an_answer_is_read_as_far_as_it_makes_sense() -> None:
    answer = Dataset()
    assert study_match(answer) is None
    answer.StudyInstanceUID = "1.2.3"
    answer.ModalitiesInStudy = ["CR", "SR"]
    answer.NumberOfStudyRelatedInstances = 4
    answer.StudyDate = "20261103"
    match = study_match(answer)
    assert match is not None
    assert (match.modalities, match.instances, match.study_date) == (("CR", "SR"), 4, DAY)
    answer.StudyDate = answer.NumberOfStudyRelatedInstances = None
    answer.ModalitiesInStudy = "CT"
    match = study_match(answer)
    assert match is not None
    assert (match.instances, match.study_date, match.may_have_films) == (None, None, False)


def test_a_status_is_a_sentence() -> None:
    assert "READFIRST as a destination" in status_sentence(0xA801, "READFIRST")
    assert "status C123H" in status_sentence(0xC123)
    assert status_sentence(0xC123, comment="no tape {x}").endswith("It says: no tape {x}")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("20261103", DAY),
        # The form of ACR-NEMA, which PS3.5 6.2 lets readers accept.
        ("2026.11.03", DAY),
        ("20261131", None),
        ("00010101", None),
        ("٢٠٢٦١١٠٣", None),
        ("2026", None),
        ("", None),
    ],
)
def test_days_are_read_as_those_of_films(written: str, day: date | None) -> None:
    answer = Dataset()
    answer.StudyInstanceUID = "1.2.3"
    for keyword in ("StudyDate", "PatientBirthDate"):
        # As it came: pydicom would not take every text.
        answer.add_new(keyword, "LO", written)
    match = study_match(answer)
    assert match is not None
    assert (match.study_date, match.patient_birth_date) == (day, day)


def test_a_birth_may_lie_before_any_film() -> None:
    answer = Dataset()
    answer.StudyInstanceUID = "1.2.3"
    answer.StudyDate = answer.PatientBirthDate = "18991231"
    match = study_match(answer)
    assert match is not None
    assert (match.study_date, match.patient_birth_date) == (None, date(1899, 12, 31))
