"""Two models on the same cases, held against other ways of counting the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readfirst.statistics.calibration import calibration_error
from readfirst.statistics.paired import Answers, PairedFigure, paired_figures


def answers(probabilities: list[float], threshold: float = 0.5) -> Answers:
    values = np.array(probabilities)
    return Answers(values, values >= threshold)


def by_name(figures: list[PairedFigure]) -> dict[str, PairedFigure]:
    return {each.figure: each for each in figures}


CASES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), st.floats(0, 1)),
    min_size=2,
    max_size=30,
).filter(lambda cases: 0 < sum(case[0] for case in cases) < len(cases))


@given(CASES)
def test_the_figures_are_those_that_others_count(cases: list[tuple[bool, float, float]]) -> None:
    # Here, since to import it takes a second of each process that collects tests.
    from sklearn.metrics import brier_score_loss, roc_auc_score

    sick = np.array([case[0] for case in cases])
    figures = by_name(
        paired_figures(
            sick,
            answers([case[1] for case in cases]),
            answers([case[2] for case in cases]),
            range(len(cases)),
        )
    )
    for number, side in ((1, "first"), (2, "second")):
        p = np.array([case[number] for case in cases])
        values = {name: getattr(figure, side).value for name, figure in figures.items()}
        assert values["auc"] == pytest.approx(roc_auc_score(sick, p))
        assert values["brier"] == pytest.approx(brier_score_loss(sick, p))
        assert values["ece"] == pytest.approx(calibration_error(sick, p))
        assert values["sensitivity"] == pytest.approx(np.mean(p[sick] >= 0.5))
        assert values["specificity"] == pytest.approx(np.mean(p[~sick] < 0.5))
    for figure in figures.values():
        assert figure.difference.value == pytest.approx(figure.second.value - figure.first.value)
        for interval in (figure.first, figure.second, figure.difference):
            assert interval.low <= interval.high
            assert not math.isnan(interval.low)


def test_a_model_does_not_differ_from_itself() -> None:
    sick = np.array([True, False] * 20)
    model = answers(list(np.linspace(0, 1, 40)))
    for figure in paired_figures(sick, model, model, range(40)):
        difference = figure.difference
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_the_difference_is_known_better_than_each_model() -> None:
    """The same cases are hard for both: so their difference hardly depends on the draw."""
    generator = np.random.default_rng(1)
    sick = generator.random(400) < 0.3
    hard = 0.5 * sick + generator.normal(0, 0.5, 400)
    first = answers(list(1 / (1 + np.exp(-hard))))
    second = answers(list(1 / (1 + np.exp(-(hard + 0.1 * sick)))))
    auc = by_name(paired_figures(sick, first, second, range(400)))["auc"]
    assert auc.difference.low > 0
    width = auc.difference.high - auc.difference.low
    assert 3 * width < auc.first.high - auc.first.low


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Of 100 samples of one population; a fair 95 % misses 10 or fewer of them nearly always."""
    covered = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        sick = np.arange(200) < 100
        # Normal by normal: the area is the chance that one is above the other (Bamber 1975).
        logits = generator.normal(0, 1, 200) + 1.0 * sick
        model = answers(list(1 / (1 + np.exp(-logits))))
        auc = by_name(paired_figures(sick, model, model, range(200)))["auc"].first
        covered += auc.low <= 0.7602499 <= auc.high
    assert covered >= 90


def test_films_of_one_patient_are_drawn_together() -> None:
    sick = np.array([True, False] * 50)
    # The films of each patient are alike easy, or alike hard.
    easy = np.arange(100) // 10 % 2 == 0
    model = answers(list(np.where(sick == easy, 0.9, 0.1)))
    alone = by_name(paired_figures(sick, model, model, range(100)))["brier"].first
    together = by_name(paired_figures(sick, model, model, [n // 10 for n in range(100)]))["brier"]
    assert together.first.high - together.first.low > 2 * (alone.high - alone.low)


def test_what_the_cases_do_not_have_is_left_out() -> None:
    nobody = np.zeros(0, dtype=bool)
    assert paired_figures(nobody, answers([]), answers([]), []) == []
    healthy = np.zeros(3, dtype=bool)
    figures = paired_figures(healthy, answers([0.1, 0.2, 0.3]), answers([0.1, 0.1, 0.1]), range(3))
    assert [each.figure for each in figures] == ["brier", "ece"]
    (brier,) = [each for each in figures if each.figure == "brier"]
    assert brier.second.value == pytest.approx(0.01)


def test_equal_numbers_come_of_equal_cases() -> None:
    sick = np.array([True, False, True, False])
    pair = answers([0.9, 0.2, 0.4, 0.6]), answers([0.8, 0.1, 0.6, 0.3])
    assert paired_figures(sick, *pair, "abcd") == paired_figures(sick, *pair, "abcd")
