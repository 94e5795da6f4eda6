"""Ensembles that are fitted to a site's films: made features, of which the truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from laboratory.adaptation import cross_validation
from laboratory.adaptation.candidate import new_units
from laboratory.adaptation.cross_validation import AdaptationResult, adapt, metrics_of
from laboratory.adaptation.features import LastUnit
from laboratory.adaptation.films import LabelledFeatures
from laboratory.adaptation.levels import AdaptationLevel, Aim, OperatingRule, fit_levels
from laboratory.adaptation.linear_layer import LinearLayer, choose_layer, fit_layers
from laboratory.evaluation.missing_cases import missing
from laboratory.evaluation.patient_folds import FOLDS, patient_folds
from laboratory.evaluation.threshold_selection import calibrate
from models.combining import calibrated, sigmoid
from models.manifest import PlattScaling
from readfirst.errors import Misconfigured

AS_IT_IS = PlattScaling(slope=1.0, intercept=0.0)
BEFORE = OperatingRule(AS_IT_IS, 0.5)


def films_of(
    number: int,
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
    by_feature: float = 0.0,
    seed: int = 0,
) -> LabelledFeatures:
    """Films whose true logit is slope x old logit + intercept + by_feature x the first feature.

    Two films of each patient, and 40 features.
    """
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, number)
    features = generator.normal(0, 1, (number, 40)) * np.linspace(0.1, 3, 40) + 1
    features[:, 7] = 2.0
    truth = slope * logits + intercept + by_feature * (features[:, 0] - 1) / 0.1
    labels = (generator.random(number) < sigmoid(truth)).astype(np.int64)
    patients = np.array([f"P-{index // 2}" for index in range(number)])
    return LabelledFeatures(labels=labels, patients=patients, logits=logits, features=features)


@pytest.fixture(scope="module")
def shifted() -> tuple[LabelledFeatures, AdaptationResult]:
    """A site where probabilities are wrong, and a feature tells what the ensemble does not see."""
    films = films_of(700, slope=0.7, intercept=-1.5, by_feature=1.5)
    return films, adapt(films, BEFORE, Aim())


def test_a_shifted_site_gains_by_the_linear_layer(
    shifted: tuple[LabelledFeatures, AdaptationResult],
) -> None:
    _, result = shifted
    assert result.best is AdaptationLevel.LINEAR_LAYER
    assert result.missing == {}
    calibration, layer = (
        result.figures[level]
        for level in (AdaptationLevel.CALIBRATION, AdaptationLevel.LINEAR_LAYER)
    )
    for figures in (calibration, layer):
        assert figures["log_loss"].difference.high < 0
        assert figures["ece"].after.value < 0.07 < figures["ece"].before.value
        for figure in figures.values():
            assert figure.difference.value == pytest.approx(
                figure.after.value - figure.before.value
            )
            assert figure.difference.low <= figure.difference.high
    assert layer["auc"].difference.low > 0.03
    # Another scale of the same scores: the same order, and the same films flagged.
    assert calibration["auc"].difference.value == 0
    assert calibration["sensitivity"].difference.value == 0
    assert calibration["specificity"].difference.value == 0
    # As many of the sick as before are flagged, and fewer of the healthy.
    assert layer["sensitivity"].difference.value == pytest.approx(0, abs=0.05)
    assert layer["specificity"].difference.low > 0


def test_a_random_site_gains_nothing_and_nothing_is_taken() -> None:
    result = adapt(films_of(500, seed=3), BEFORE, Aim())
    assert result.best is None
    assert result.layer_gain is not None
    assert result.layer_gain.difference.high >= 0


def test_a_site_whose_probabilities_alone_are_wrong_is_calibrated_and_no_more() -> None:
    films = films_of(500, slope=0.5, intercept=-1.0, seed=4)
    assert adapt(films, BEFORE, Aim()).best is AdaptationLevel.CALIBRATION
    # An operating point has to be asked for.
    asked_for = adapt(films, BEFORE, Aim(sensitivity=0.9))
    assert asked_for.best is AdaptationLevel.OPERATING_POINT
    flagged = asked_for.held_out[AdaptationLevel.OPERATING_POINT].flagged
    assert np.mean(flagged[films.labels == 1]) == pytest.approx(0.9, abs=0.06)


def test_few_films_say_how_many_are_missing() -> None:
    films = films_of(160, seed=5)
    sick = int(films.labels.sum())
    assert missing(films.labels, 100) == {
        "pneumonia": 100 - sick,
        "no pneumonia": 100 - (160 - sick),
    }
    result = adapt(films, BEFORE, Aim())
    assert result.missing == missing(films.labels, 100)
    assert AdaptationLevel.LINEAR_LAYER not in result.figures
    assert result.layer_gain is None
    few = films.take(np.arange(80))
    with pytest.raises(Misconfigured, match=r"50 films of each class: \d+ more of pneumonia"):
        adapt(few, BEFORE, Aim())
    alone = replace(films, labels=np.ones_like(films.labels))
    with pytest.raises(Misconfigured, match="50 more of no pneumonia"):
        adapt(alone, BEFORE, Aim())


def test_few_patients_are_refused() -> None:
    films = films_of(300)
    few = replace(films, patients=np.array(["A", "B", "C"] * 100))
    with pytest.raises(Misconfigured, match="of 3 patients"):
        adapt(few, BEFORE, Aim())


def test_scores_against_the_labels_are_refused() -> None:
    films = films_of(300, slope=-1.0)
    with pytest.raises(Misconfigured, match="no adaptation mends that"):
        adapt(films, BEFORE, Aim())


def test_no_fit_sees_a_patient_that_it_is_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    films = films_of(400)
    fitted_to: list[set[str]] = []

    def noted(films: LabelledFeatures, *arguments: object, **options: object) -> object:
        fitted_to.append(set(films.patients.tolist()))
        return fit_levels(films, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(cross_validation, "fit_levels", noted)
    adapt(films, BEFORE, Aim())
    everybody, *of_folds = fitted_to
    left_out = [everybody - patients for patients in of_folds]
    assert len(of_folds) == FOLDS
    # Each patient is left out once, with both films.
    assert sum(map(len, left_out)) == len(everybody) == 200
    assert set().union(*left_out) == everybody


def test_fits_take_one_thread_and_leave_the_others_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sklearn.linear_model  # noqa: F401 - with the libraries that it needs

    numbers: list[set[int]] = []

    def note() -> None:
        libraries = [each for each in threadpool_info() if each["user_api"] == "blas"]
        numbers.append({library["num_threads"] for library in libraries})

    def noted(*arguments: object, **options: object) -> object:
        note()
        return fit_levels(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(cross_validation, "fit_levels", noted)
    with threadpool_limits(2, user_api="blas"):
        note()
        adapt(films_of(200), BEFORE, Aim(), least_for_layer=1000)
        note()
    before, *within, after = numbers
    assert within == [{1}] * (1 + FOLDS)
    assert before == after == {2}


def test_labels_by_chance_that_patients_share_are_not_learned() -> None:
    """Films of a patient are alike and have one label: whoever splits by film finds a gain."""
    films = films_of(400, seed=6)
    generator = np.random.default_rng(7)
    of_patient = generator.normal(0, 1, (200, 40))
    labels = generator.integers(0, 2, 200)
    films = replace(
        films,
        features=np.repeat(of_patient, 2, axis=0) + generator.normal(0, 0.05, (400, 40)),
        labels=np.repeat(labels, 2),
        logits=np.repeat(labels * 1.0, 2) + generator.normal(0, 1, 400),
    )
    result = adapt(films, BEFORE, Aim())
    assert result.best is not AdaptationLevel.LINEAR_LAYER


def test_without_strength_the_layer_is_the_calibration() -> None:
    films = films_of(300, slope=0.5)
    layers = fit_layers(films, [0.0, 1.0])
    scaling = calibrate(films.logits, films.labels)
    assert layers[0.0].scaling.slope == pytest.approx(scaling.slope, abs=1e-3)
    assert layers[0.0].logits(films) == pytest.approx(calibrated(films.logits, scaling), abs=1e-2)
    assert not layers[0.0].change.any()
    # A feature that never changes stays out.
    assert layers[1.0].change[7] == 0
    assert layers[1.0].change.any()


def test_more_films_than_features_and_fewer_give_the_same_layer() -> None:
    films = films_of(60, by_feature=2.0)
    wide = replace(films, features=np.hstack([films.features, np.zeros((60, 100))]))
    narrow_layer, wide_layer = (fit_layers(each, [1.0])[1.0] for each in (films, wide))
    # Unit variance is shared by as many features as there are.
    assert wide_layer.change[40:] == pytest.approx(0)
    scaled = fit_layers(films, [np.sqrt(40 / 140)])[np.sqrt(40 / 140)]
    assert wide_layer.logits(wide) == pytest.approx(scaled.logits(films), abs=0.02)
    assert narrow_layer.strength == 1.0


def test_a_layer_is_scaled_by_what_it_says_of_other_patients() -> None:
    films = films_of(260, by_feature=1.0)
    chosen = choose_layer(films, 1)
    again = calibrate(chosen.held_out, films.labels)
    assert (again.slope, again.intercept) == pytest.approx((1, 0), abs=0.03)


def test_new_units_say_what_the_layer_says() -> None:
    generator = np.random.default_rng(8)
    films = generator.normal(1, 1, (30, 7))
    units = [LastUnit(generator.normal(0, 1, 4), 0.3), LastUnit(generator.normal(0, 1, 3), -0.4)]
    weights = (0.6, 0.4)

    def combined(of: list[LastUnit]) -> np.ndarray:
        parts = zip(of, weights, (films[:, :4], films[:, 4:]), strict=True)
        return np.asarray(sum(w * (x @ unit.kernel + unit.bias) for unit, w, x in parts))

    layer = LinearLayer(
        PlattScaling(slope=0.8, intercept=-0.5),
        generator.normal(0, 1, 7),
        films.mean(axis=0),
        0.3,
    )
    wanted = layer.logits(
        LabelledFeatures(
            labels=np.zeros(30, dtype=np.int64),
            patients=np.array([""] * 30),
            logits=combined(units),
            features=films,
        )
    )
    behind = PlattScaling(slope=1.7, intercept=-0.5)
    changed = new_units(units, weights, layer, behind.slope)
    assert calibrated(combined(changed), behind) == pytest.approx(wanted)


def test_thresholds_by_aim() -> None:
    probabilities = np.linspace(0.01, 0.99, 99)
    labels = (np.arange(99) % 3 > 0).astype(np.int64)
    kept = Aim().threshold(probabilities, labels, 0.5)
    assert np.mean(probabilities[labels == 1] >= kept) == pytest.approx(0.5, abs=0.02)
    high = Aim(sensitivity=0.95).threshold(probabilities, labels, 0.5)
    assert np.mean(probabilities[labels == 1] >= high) >= 0.95
    dear, cheap = (
        Aim(miss_cost=cost).threshold(probabilities, labels, 0.5) for cost in (100.0, 0.1)
    )
    assert dear < 0.05
    assert cheap > 0.95


def test_a_moved_threshold_flags_the_same_films() -> None:
    rule = OperatingRule(PlattScaling(slope=2.0, intercept=1.0), 0.9)
    other = PlattScaling(slope=0.5, intercept=-1.0)
    logits = np.linspace(-3, 3, 601)
    flagged = sigmoid(calibrated(logits, rule.calibration)) >= rule.threshold
    moved = sigmoid(calibrated(logits, other)) >= rule.moved(other)
    assert np.array_equal(flagged, moved)


def test_the_metrics_of_a_manifest_are_those_of_the_folds(
    shifted: tuple[LabelledFeatures, AdaptationResult],
) -> None:
    films, result = shifted
    metrics = metrics_of(films, result, AdaptationLevel.LINEAR_LAYER)
    figures = result.figures[AdaptationLevel.LINEAR_LAYER]
    assert metrics.auc == figures["auc"].after
    assert metrics.ece == figures["ece"].after
    assert metrics.sensitivity.value == pytest.approx(figures["sensitivity"].after.value)
    assert (metrics.images, metrics.patients) == (700, 350)


def test_folds_share_no_patient() -> None:
    films = films_of(300)
    for others, fold in patient_folds(films.labels, films.patients, 1):
        assert not set(films.patients[others]) & set(films.patients[fold])


def test_a_threshold_that_nothing_reaches_stays_within_the_bounds_of_a_manifest() -> None:
    far = OperatingRule(PlattScaling(slope=0.01, intercept=-90.0), 0.999)
    films = films_of(200)
    for rule in fit_levels(films, far, Aim(), 1, with_layer=True).values():
        assert 0 < rule.threshold < 1
