"""The marks of a score: the rule of members that disagree, and how far a score holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.studies.marks import Mark, MarkCode, Validity, each_once, mark, validity
from readfirst.studies.priority import PriorityReason, explain_priority, priority_reason
from readfirst.studies.score_marks import (
    members_disagree,
    of_image,
    outside_validation,
    score_marks,
)

DISAGREE, UNLIKE = MarkCode.MEMBERS_DISAGREE, MarkCode.UNLIKE_VALIDATED
PROBABILITY = st.floats(0, 1)


@pytest.mark.parametrize(
    ("members", "threshold", "disagree"),
    [
        ([], 0.5, False),
        ([0.04], 0.5, False),
        ([0.96], 0.5, False),
        ([0.78, 0.04, 1.0], 0.5, True),
        ([0.78, 0.04, 1.0], 0.02, False),
        ([0.49, 0.5], 0.5, True),
        ([0.5, 0.5], 0.5, False),
        ([0.51, 0.99], 0.5, False),
        ([0.01, 0.49], 0.5, False),
        # Far apart, and on one side: what is decided is the same.
        ([0.0, 0.49, 0.2], 0.5, False),
    ],
)
def test_members_disagree_when_they_lie_on_both_sides_of_the_threshold(
    members: list[float], threshold: float, disagree: bool
) -> None:
    assert members_disagree(members, threshold) is disagree


@given(members=st.lists(PROBABILITY, max_size=5), threshold=PROBABILITY)
def test_a_doubt_depends_on_no_order_and_on_no_repetition(
    members: list[float], threshold: float
) -> None:
    answer = members_disagree(members, threshold)
    assert members_disagree(reversed(members), threshold) is answer
    assert members_disagree(members * 2, threshold) is answer


@pytest.mark.parametrize(
    ("unlike", "members", "codes", "expected"),
    [
        (None, [0.2, 0.3], [], Validity.VALIDATED),
        (False, [0.2, 0.3], [], Validity.VALIDATED),
        (True, [0.2, 0.3], [UNLIKE], Validity.NOT_VALIDATED),
        (None, [0.2, 0.7], [DISAGREE], Validity.IN_DOUBT),
        (False, [0.2, 0.7], [DISAGREE], Validity.IN_DOUBT),
        (True, [0.2, 0.7], [UNLIKE, DISAGREE], Validity.NOT_VALIDATED),
        (True, [0.7], [UNLIKE], Validity.NOT_VALIDATED),
    ],
)
def test_a_score_has_the_marks_of_what_it_says(
    unlike: bool | None, members: list[float], codes: list[MarkCode], expected: Validity
) -> None:
    marks = score_marks({str(n): each for n, each in enumerate(members)}, 0.5, unlike)
    assert [each.code for each in marks] == codes
    assert validity(codes) is expected


def test_the_mark_says_what_each_network_said_as_the_site_states_it() -> None:
    members = {"vgg": 1.0, "a": 0.78, "b": 0.04}
    (doubt,) = score_marks(members, 0.5, None)
    assert doubt.reason.endswith("and some below. (78 %, 4 %, > 99 %)")
    # Stated for another prevalence, the networks stay on the sides on which they are.
    (doubt,) = score_marks(members, 0.5, None, lambda value: value / 10)
    assert doubt.reason.endswith("(8 %, < 1 %, 10 %)")


def test_a_doubt_is_no_reason_to_call_a_film_not_validated() -> None:
    adult = mark(MarkCode.ADULT, "40 y")
    marks = (mark(DISAGREE, "4 %, 78 %"), adult, mark(UNLIKE), mark(MarkCode.ADULT, "41 y"))
    assert [each.code for each in each_once(marks)] == [MarkCode.ADULT, UNLIKE, DISAGREE]
    assert each_once(marks)[0] == adult
    assert of_image(marks) == (adult, marks[-1])
    assert outside_validation((adult,), None) == outside_validation((adult,), False) == (adult,)
    assert [each.code for each in outside_validation((), True)] == [UNLIKE]


@given(
    codes=st.lists(st.sampled_from(MarkCode), unique=True),
    probability=PROBABILITY,
    threshold=st.floats(0.01, 0.99),
)
def test_a_mark_never_lowers_and_is_always_told(
    codes: list[MarkCode], probability: float, threshold: float
) -> None:
    def sentence(marks: list[MarkCode]) -> str:
        return explain_priority(
            reason, probability=probability, threshold=threshold, reasons=[], marks=marks
        )

    flagged = probability >= threshold
    # Flag and rank are decided without a mark; only the sentence knows them.
    reason = priority_reason(stat=False, flagged=flagged, scored=True)
    assert reason is (PriorityReason.FLAGGED if flagged else PriorityReason.WAITING)
    if codes and not flagged:
        assert "threshold" not in sentence(codes), "it is not held against the study"
    if DISAGREE in codes:
        assert "networks disagree" in sentence(codes)
    assert ("valid" in sentence(codes)) == (validity(codes) is Validity.NOT_VALIDATED)


@pytest.mark.parametrize(
    ("probability", "codes", "sentence"),
    [
        (0.12, [DISAGREE], "In order of arrival. Score 12 % in doubt: networks disagree."),
        (0.12, [UNLIKE], "In order of arrival. Score 12 % not valid: unlike validated films."),
        (
            0.12,
            [UNLIKE, DISAGREE],
            "In order of arrival. Score 12 % not valid: unlike validated films, networks disagree.",
        ),
        (0.8, [DISAGREE], "AI 80 % (threshold 50 %), networks disagree."),
        (0.8, [UNLIKE], "AI 80 % (threshold 50 %), not validated: unlike validated films."),
    ],
)
def test_the_sentence_tells_a_doubt_from_what_is_not_validated(
    probability: float, codes: list[MarkCode], sentence: str
) -> None:
    flagged = probability >= 0.5
    reason = priority_reason(stat=False, flagged=flagged, scored=True)
    stated = explain_priority(
        reason, probability=probability, threshold=0.5, reasons=[], marks=codes
    )
    assert stated == sentence


def test_a_mark_is_of_its_code_and_its_reason() -> None:
    assert mark(UNLIKE) == Mark(UNLIKE, mark(UNLIKE).reason)
