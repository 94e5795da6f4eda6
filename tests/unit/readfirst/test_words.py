from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.common.console import parse_since
from readfirst.domain import spread, uid_from_digest
from readfirst.formatting import (
    age_at,
    readable_age,
    readable_name,
    readable_percent,
    readable_probability,
    short_duration,
)
from readfirst.refusals import SENTENCES, RefusalCode
from readfirst.studies.marks import MARK_WORDS, MarkCode
from readfirst.studies.prevalence import all_at_prevalence, at_prevalence
from readfirst.studies.priority import PriorityReason, explain_priority, priority_reason

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
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou (山田 太郎)"),
        ("Yamada^Tarou==やまだ^たろう", "Yamada, Tarou"),
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
    assert priority_reason(stat=False, flagged=False, scored=False) is PriorityReason.NOT_SCORED
    text = explain_priority(PriorityReason.NOT_SCORED, probability=None, threshold=None, reasons=[])
    assert text == "In order of arrival. Not scored yet."
    text = explain_priority(
        PriorityReason.STAT, probability=None, threshold=None, reasons=["Broken."]
    )
    assert text == "Ordered as STAT. Not scored: Broken."


def test_spread_is_the_distance_between_the_members() -> None:
    assert spread({"a": 0.9, "b": 0.2, "c": 0.5}) == pytest.approx(0.7)
    assert spread({"a": 0.9}) == spread({}) == 0.0


def test_a_probability_follows_the_prevalence_by_bayes() -> None:
    """A test with a likelihood ratio of 9 makes 50 % to 90 %, and 10 % to 50 %."""
    many = np.array([0.0, 1e-9, 0.2, 0.9, 1.0])
    each = [at_prevalence(probability, 0.5, 0.1) for probability in many]
    assert all_at_prevalence(many, 0.5, 0.1).tolist() == pytest.approx(each)
    assert all_at_prevalence(many, None, 0.1).tolist() == many.tolist()
    assert at_prevalence(0.9, presupposed=0.5, prevalence=0.1) == pytest.approx(0.5)
    assert at_prevalence(0.9, presupposed=0.5, prevalence=0.5) == pytest.approx(0.9)
    assert at_prevalence(0.9, presupposed=None, prevalence=0.1) == 0.9
    assert at_prevalence(0.9, presupposed=0.5, prevalence=None) == 0.9
    assert at_prevalence(1.0, presupposed=0.5, prevalence=0.1) == 1.0


@given(
    first=st.floats(0.001, 0.999), second=st.floats(0.001, 0.999), prevalence=st.floats(0.01, 0.99)
)
def test_the_order_of_probabilities_survives_the_prevalence(
    first: float, second: float, prevalence: float
) -> None:
    changed = [at_prevalence(p, 0.74, prevalence) for p in (first, second)]
    assert (changed[0] >= changed[1]) == (first >= second) or abs(first - second) < 1e-12


@pytest.mark.parametrize(
    ("probability", "percent"),
    [
        (0.0, "< 1 %"),
        (0.005, "1 %"),
        (0.145, "15 %"),
        (0.905, "91 %"),
        (0.9949, "99 %"),
        (0.99999, "> 99 %"),
        (1.0, "> 99 %"),
    ],
)
def test_no_network_is_quoted_as_certain(probability: float, percent: str) -> None:
    assert readable_percent(100 * probability + 1e-9) == percent
    assert readable_probability(probability) == percent


@pytest.mark.parametrize(
    ("reason", "probability", "marks", "sentence"),
    [
        (PriorityReason.FLAGGED, 0.999, [], "AI > 99 % (threshold 91 %)."),
        (PriorityReason.WAITING, 0.08, [], "In order of arrival. AI 8 % (threshold 91 %)."),
        (
            PriorityReason.WAITING,
            0.08,
            [MarkCode.AGE_UNKNOWN],
            "In order of arrival. Score 8 % not valid: age unknown.",
        ),
        (
            PriorityReason.STAT,
            0.97,
            [MarkCode.ADULT, MarkCode.VIEW],
            "Ordered as STAT. AI 97 % (threshold 91 %), not validated: adult, view not validated.",
        ),
        (
            PriorityReason.WAITING,
            0.908,
            [],
            "In order of arrival. AI 91 % (just below the threshold 91 %).",
        ),
    ],
)
def test_a_reason_is_a_short_sentence_in_percent(
    reason: PriorityReason, probability: float, marks: list[MarkCode], sentence: str
) -> None:
    text = explain_priority(
        reason, probability=probability, threshold=0.91, reasons=[], marks=marks
    )
    assert text == sentence


def test_every_mark_has_its_words() -> None:
    assert set(MARK_WORDS) == set(MarkCode)
