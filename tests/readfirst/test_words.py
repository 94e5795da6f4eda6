from datetime import UTC, date, datetime, timedelta

import pytest

from readfirst.cli.console import parse_since
from readfirst.domain import uid_from_digest
from readfirst.priority import Standing, standing, why
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.words import age_at, readable_age, readable_name, short_duration

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3900, "1 h 05"), (100_000, "1 d 3 h")],
)
def test_durations_are_short(seconds: int, text: str) -> None:
    assert short_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^Mary^^", "Doe, Jane Mary"),
        ("Doe", "Doe"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("^^^", ""),
    ],
)
def test_person_names_are_readable(written: str, read: str) -> None:
    assert readable_name(written) == read


@pytest.mark.parametrize(
    ("born", "age"),
    [(date(2022, 3, 1), "004Y"), (date(2022, 3, 2), "003Y"), (date(2025, 9, 1), "006M")],
)
def test_ages_are_those_of_dicom(born: date, age: str) -> None:
    assert age_at(born, NOW) == age
    assert age_at(None, NOW) is None
    assert age_at(date(2030, 1, 1), NOW) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [("004Y", "4 y"), ("011M", "11 mo"), ("4", "4"), ("", ""), ("abcY", "abcY")],
)
def test_ages_are_readable(written: str, read: str) -> None:
    assert readable_age(written) == read


def test_since_takes_spans_and_dates() -> None:
    assert parse_since("2h", NOW) == NOW - timedelta(hours=2)
    assert parse_since("2026-02-28", NOW) == datetime(2026, 2, 28, tzinfo=UTC)
    with pytest.raises(ValueError, match="Invalid"):
        parse_since("yesterday", NOW)


def test_every_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(RefusalCode)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())


def test_made_uids_keep_to_the_standard_and_to_their_content() -> None:
    uid = uid_from_digest("ab" * 32, "study")
    assert uid == uid_from_digest("ab" * 32, "study")
    assert uid != uid_from_digest("ab" * 32, "series")
    assert uid.startswith("2.25.")
    assert len(uid) <= 64
    assert uid.removeprefix("2.25.").isdigit()


def test_an_unscored_study_says_so_wherever_it_stands() -> None:
    assert standing(stat=False, flagged=False, scored=False) is Standing.NOT_SCORED
    text = why(Standing.NOT_SCORED, probability=None, threshold=None, reasons=[])
    assert text == "By arrival; not scored yet"
    text = why(Standing.STAT, probability=None, threshold=None, reasons=["Broken."])
    assert text == "Ordered as STAT; not scored: Broken."
