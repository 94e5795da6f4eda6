from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.studies.identity import WARNING_SENTENCES, Patient, WarningCode, conflict, is_same

LUCIA: dict[str, Any] = {
    "patient_id": "P-1",
    "patient_name": "Díaz^Lucía",
    "patient_birth_date": date(2022, 3, 14),
}


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({}, False),
        ({"patient_id": "P-2"}, True),
        ({"patient_name": "DÍAZ GARCÍA^LUCÍA"}, False),
        ({"patient_birth_date": date(2022, 3, 15)}, False),
        ({"patient_name": "Roe^Jan", "patient_birth_date": date(2021, 1, 1)}, True),
        ({"patient_id": None}, False),
        ({"patient_id": None, "patient_name": "díaz^lucía^m"}, False),
        ({"patient_id": None, "patient_name": "Roe^Jan"}, True),
        ({"patient_id": None, "patient_birth_date": date(2021, 1, 1)}, True),
        ({"patient_id": None, "patient_name": None, "patient_birth_date": None}, False),
    ],
)
def test_whether_two_images_can_be_of_one_patient(changed: dict[str, Any], differs: bool) -> None:
    first, other = Patient(**LUCIA), Patient(**LUCIA | changed)
    assert conflict(first, other) is conflict(other, first) is differs


def test_the_same_id_of_two_issuers_is_two_patients() -> None:
    north, south = (Patient(**LUCIA, issuer_of_patient_id=issuer) for issuer in ("N", "S"))
    assert conflict(north, south)
    assert not is_same(north, south)
    assert is_same(north, Patient(**LUCIA))


def test_names_are_compared_in_the_groups_that_both_have() -> None:
    written = Patient(patient_name="Yamada^Tarou=山田^太郎")
    assert not conflict(written, Patient(patient_name="=山田^太郎"))
    assert not conflict(written, Patient(patient_name="YAMADA^TAROU"))
    assert conflict(written, Patient(patient_name="Suzuki^Ichiro=鈴木^一郎"))
    assert not conflict(written, Patient(patient_name="==やまだ^たろう"))


@given(
    ids=st.tuples(*[st.sampled_from(["A", "B"])] * 2),
    names=st.tuples(*[st.one_of(st.none(), st.text(max_size=9))] * 2),
)
def test_two_ids_are_never_one_patient(ids: tuple[str, str], names: tuple[str, str]) -> None:
    first, other = (
        Patient(patient_id=number, patient_name=name)
        for number, name in zip(ids, names, strict=True)
    )
    assert conflict(first, other) is (ids[0] != ids[1])
    assert is_same(first, other) is (ids[0] == ids[1])


def test_every_warning_has_a_sentence() -> None:
    assert set(WARNING_SENTENCES) == set(WarningCode)
    assert all(sentence.endswith(".") for sentence in WARNING_SENTENCES.values())
