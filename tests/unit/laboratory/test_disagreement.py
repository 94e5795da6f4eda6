"""Members that disagree: the figures against a case that was worked out by hand."""

import numpy as np
import pytest

from cli.models.figures import disagreement_text
from laboratory.evaluation.disagreement import measure_disagreement

LABELS = np.array([1, 1, 1, 0, 0, 0, 0, 0])
PROBABILITIES = np.array([0.9, 0.6, 0.3, 0.6, 0.2, 0.1, 0.4, 0.3])
PATIENTS = np.array(["a", "a", "b", "c", "d", "e", "f", "f"])
MEMBERS = [
    [0.95, 0.85],
    [0.9, 0.3],
    [0.5, 0.1],
    [0.8, 0.4],
    [0.2, 0.2],
    [0.1, 0.1],
    [0.45, 0.35],
    [0.6, 0.0],
]


def test_the_shares_are_those_counted_by_hand() -> None:
    measured = measure_disagreement(LABELS, PROBABILITIES, MEMBERS, PATIENTS, 0.5)
    # The second, third, fourth and last film; the third is missed, the fourth a false alarm.
    assert measured.films == 4
    assert measured.share.value == 0.5
    assert measured.wrong is not None
    assert measured.wrong.value == 0.5
    assert measured.wrong_otherwise is not None
    assert measured.wrong_otherwise.value == 0.0
    for each in (measured.share, measured.wrong, measured.wrong_otherwise):
        assert 0 <= each.low <= each.value <= each.high <= 1


@pytest.mark.parametrize("threshold", [0.05, 0.99])
def test_where_no_members_disagree_nothing_is_said_of_such_films(threshold: float) -> None:
    members = [[0.9, 0.95]] * 8 if threshold < 0.5 else [[0.1, 0.2]] * 8
    measured = measure_disagreement(LABELS, PROBABILITIES, members, PATIENTS, threshold)
    assert (measured.films, measured.share.value, measured.wrong) == (0, 0.0, None)
    assert measured.wrong_otherwise is not None


def test_it_is_said_in_a_line() -> None:
    measured = measure_disagreement(LABELS, PROBABILITIES, MEMBERS, PATIENTS, 0.5)
    text = disagreement_text("2.0", measured)
    assert text.startswith("The members of 2.0 disagree on 50.0 % (")
    assert "; it is wrong on 50.0 % (" in text
    assert text.endswith("of the others.")
    agreed = measure_disagreement(LABELS, PROBABILITIES, [[0.9, 0.95]] * 8, PATIENTS, 0.5)
    assert disagreement_text("2.0", agreed).endswith("disagree on 0.0 % (0.0–0.0) of the films.")
