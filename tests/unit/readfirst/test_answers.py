"""Answers of receivers: acknowledgements, outcomes, and what of a patient they must not tell."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.results.fhir.outcome import outcome_text
from readfirst.results.hl7.acknowledgement import MOST_CHARACTERS, read_acknowledgement
from readfirst.results.redaction import patient_values, without_values
from tests.support.results import a_study

HEADER = "MSH|^~\\&|RIS|HOSP|READFIRST|RAD|20260301||ACK^R01^ACK|9|P|2.5.1"


@pytest.mark.parametrize(
    ("answer", "code", "control_id", "text"),
    [
        (f"{HEADER}\rMSA|AA|RF1", "AA", "RF1", ""),
        (f"{HEADER}\nMSA|AA|RF1|\n", "AA", "RF1", ""),
        (f"{HEADER}\r\nMSA|CA|RF1\r\n", "CA", "RF1", ""),
        (f"{HEADER}\rMSA|AE|RF1|No such order", "AE", "RF1", "No such order"),
        (f"{HEADER}\rMSA|AR|RF1\rERR|||204^Unknown key^HL70357|E", "AR", "RF1", "Unknown key"),
        (
            f"{HEADER}\rMSA|AE|RF1|Error\rERR|||204^Unknown key^HL70357|E|||Stack|No order",
            "AE", "RF1", "Error No order Stack",
        ),
        ("MSH#*~\\&#RIS\rMSA#AE#RF1#No\rERR###204*Unknown", "AE", "RF1", "No Unknown"),
        (f"{HEADER}\rMSA|AA", "AA", "", ""),
    ],
)  # fmt: skip
def test_an_acknowledgement_is_read(answer: str, code: str, control_id: str, text: str) -> None:
    read = read_acknowledgement(answer.encode())
    assert (read.code, read.control_id, read.text) == (code, control_id, text)
    assert read.is_taken == (code in ("AA", "CA"))


@pytest.mark.parametrize(
    "answer", [b"", b"MSH", b"HTTP/1.1 200 OK", HEADER.encode(), b"MSH|^\rMSA|"]
)
def test_what_is_no_acknowledgement_is_none(answer: bytes) -> None:
    with pytest.raises(ValueError, match="no "):
        read_acknowledgement(answer)


@given(st.binary(max_size=300))
def test_any_text_of_a_refusal_is_read(block: bytes) -> None:
    read = read_acknowledgement(b"MSH|^~\\&|\rMSA|AE|1|" + block)
    assert (read.code, read.is_taken) == ("AE", False)
    assert len(read.text) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "No\n patient"}]},
            "No patient",
        ),
        (
            {
                "resourceType": "OperationOutcome",
                "issue": [{"details": {"text": "One"}}, {"code": "invalid"}],
            },
            "One invalid",
        ),
        ({"resourceType": "Bundle", "issue": [{"code": "invalid"}]}, ""),
        ({"resourceType": "OperationOutcome"}, ""),
        ({"resourceType": "OperationOutcome", "issue": ["text"]}, ""),
        ([1], ""),
    ],
)
def test_an_outcome_is_read(content: object, text: str) -> None:
    assert outcome_text(json.dumps(content).encode()) == text
    assert outcome_text(b"<html>") == outcome_text(b"\xff") == ""


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("No patient P-1.", "No patient …."),
        ("LUCIA EJEMPLO is unknown", "… … is unknown"),
        ("born 20220314, 2022-03-14, 14.03.2022, 03/14/2022", "born …, …, …, …"),
        ("P-12 and Luciana stay", "P-12 and Luciana stay"),
        ("PID-3: 'P-1^^^HOSP'", "PID-3: '…^^^HOSP'"),
        ("", ""),
    ],
)
def test_a_text_is_kept_without_the_patient(text: str, without: str) -> None:
    values = patient_values(a_study(patient_birth_date=date(2022, 3, 14)))
    assert without_values(text, values) == without


def test_where_nothing_is_known_nothing_is_taken_out() -> None:
    study = a_study(patient_id=None, patient_name=None, patient_birth_date=None)
    assert patient_values(study) == frozenset()
    assert without_values("A text.", frozenset()) == "A text."
