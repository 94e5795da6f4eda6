"""Passwords that may be set."""

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY

from readfirst.access.credentials import check_password
from readfirst.errors import Misconfigured
from tests.support.passwords import product_hasher


def test_passwords_are_hashed_by_the_second_recommendation_of_rfc_9106() -> None:
    hasher = product_hasher()
    chosen = RFC_9106_LOW_MEMORY
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism) == (
        chosen.time_cost,
        chosen.memory_cost,
        chosen.parallelism,
    )
    assert hasher.hash("four plain words here").startswith("$argon2id$")


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "123456789012", "qwertyuiop12", "P@ssw0rd1234", "iloveyou1234",
        "welcome12345", "aaaaaaaaaaaaa", "abcabcabcabc", "abcdefghijklm", "radiology2026",
        "readfirst-2026", "adminadminadmin", "Summer2026!!", "anna.reader12", "anna.reader.anna",
        "1qaz2wsx3edc", "0123456789" * 20,
    ],
)  # fmt: skip
def test_a_password_that_many_have_is_not_set(password: str) -> None:
    with pytest.raises(Misconfigured, match="too easy to guess") as refused:
        check_password(password, "anna.reader")
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "four plain words here",
        "another few words",
        "kX9-qpl2mzzt",
        "Röntgen am Morgen 7",
        "字" * 3 + "山川海空雨雪風雲花",
    ],
)
def test_a_few_words_or_random_signs_are_set(password: str) -> None:
    assert check_password(password, "anna") == password
