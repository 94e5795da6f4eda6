import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.combining import combine, logit, sigmoid

shares = st.floats(0, 1)


@given(probabilities=arrays(np.float64, (3, 5), elements=shares), order=st.permutations(range(3)))
def test_the_order_of_the_members_does_not_matter(
    probabilities: np.ndarray, order: list[int]
) -> None:
    weights = [0.5, 0.3, 0.2]
    logits = logit(probabilities)
    turned = combine(logits[order], [weights[i] for i in order])
    np.testing.assert_allclose(turned, combine(logits, weights), atol=1e-12)


@given(low=shares, high=shares, other=shares)
def test_the_ensemble_never_falls_when_a_member_rises(
    low: float, high: float, other: float
) -> None:
    low, high = sorted((low, high))
    both = combine(logit([[low, high], [other, other]]), [0.5, 0.5])
    assert both[0] <= both[1]


@given(p=st.floats(1e-5, 1 - 1e-5))
def test_sigmoid_undoes_logit(p: float) -> None:
    assert sigmoid(logit(p)) == pytest.approx(p)
