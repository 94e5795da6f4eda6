"""A population is fitted to films of other people, and its figures are of unseen patients."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from laboratory.data.elsewhere import FilmFromElsewhere
from laboratory.evaluation.metrics import figures as evaluation_figures
from laboratory.populations.films import PopulationFilms, select_films
from laboratory.populations.fit import (
    COPIES,
    EVERYTHING_ELSE,
    balanced_weights,
    fit_point,
    fit_populations,
    group_figures,
    held_out_flags,
)
from laboratory.populations.write import check_writable, with_populations
from models.combining import sigmoid
from models.manifest import load_manifest, write_manifest
from models.populations.population import Population
from readfirst.domain import Ages
from readfirst.errors import Misconfigured
from tests.support.populations import a_population

ADULTS = Ages(18, 115)


def made_films(
    count: int = 240, *, seed: int = 1, of_view: float = 0.0, of_class: float = 2.0
) -> PopulationFilms:
    """Films of which sick ones have higher logits; of_view: by how much AP films have, too.

    Most AP films are sick and most PA films are not, as in a hospital.
    """
    generator = np.random.default_rng(seed)
    is_ap = generator.random(count) < 0.5
    sick = generator.random(count) < np.where(is_ap, 0.6, 0.2)
    classes = np.where(
        sick, "lung_opacity", generator.choice(["normal", "abnormal_no_opacity"], count)
    )
    logits = generator.normal(0, 1.5, count) + of_class * sick + of_view * is_ap - 2
    patients = np.array([f"P{n // 2}" for n in range(count)])
    return PopulationFilms(
        logits, classes, np.where(is_ap, "AP", "PA"), patients, np.ones(count, dtype=bool)
    )


def fitted(films: PopulationFilms, copies: PopulationFilms | None = None) -> tuple[Population, ...]:
    return fit_populations(
        films, copies, name="adults", ages=ADULTS, sensitivity=0.9, source="invented", seed=3
    )


def a_film(
    source: str, label: str, age: float | None = 40.0, view: str = "PA"
) -> FilmFromElsewhere:
    return FilmFromElsewhere(
        path=Path("film.jpg"),
        source=source,
        label="",
        radiologist_label=label,
        population="adult",
        patient=f"{source}-{label}-{age}",
        age=age,
        view=view,
        licence="",
    )


def test_films_that_radiologists_read_are_fitted_to_and_copies_of_healthy_ones_are_not() -> None:
    films = [
        a_film("nih", "lung_opacity"),
        a_film("nih", "normal", 18.0),
        a_film("nih", "abnormal_no_opacity", 115.9),
        a_film("nih", ""),
        a_film("nih", "normal", 17.9),
        a_film("nih", "normal", None),
        a_film("nih", "normal", view=""),
        a_film("copies", "normal"),
    ]
    chosen, copies = select_films(films, ADULTS)
    assert chosen == films[:3]
    assert copies == films[7:]
    with pytest.raises(Misconfigured, match="No film of patients of 0 to 1 years"):
        select_films(films, Ages(0, 1))


def test_the_weights_part_class_and_view() -> None:
    films = made_films()
    weights = balanced_weights(films.sick, films.views)
    shares = [
        weights[(films.views == view) & films.sick].sum() / weights[films.views == view].sum()
        for view in ("AP", "PA")
    ]
    np.testing.assert_allclose(shares, films.sick.mean())
    np.testing.assert_allclose(weights.sum(), len(films.sick))
    only_sick = films.at((films.views == "PA") | films.sick)
    with pytest.raises(Misconfigured, match="view AP are all of one class"):
        balanced_weights(only_sick.sick, only_sick.views)


def test_the_threshold_flags_the_share_that_is_aimed_at_and_no_fewer() -> None:
    films = made_films(of_view=1.5)
    point = fit_point(films, 0.9)
    assert 0.9 <= point.flags(films)[films.sick].mean() < 0.92
    # What AP films have more of is none of the finding.
    ap, pa = point.scalings["AP"], point.scalings["PA"]
    assert ap.slope == pa.slope > 0
    assert (pa.intercept - ap.intercept) / ap.slope == pytest.approx(1.5, abs=0.7)
    weights = balanced_weights(films.sick, films.views)
    for view in ("AP", "PA"):
        of_view = films.views == view
        stated = np.average(point.probabilities(films)[of_view], weights=weights[of_view])
        assert stated == pytest.approx(films.sick.mean(), abs=0.03)


def test_held_out_flags_are_of_fits_to_other_patients() -> None:
    films = made_films()
    flags = held_out_flags(films, 0.9, seed=1)
    assert set(np.unique(flags)) <= set(np.arange(21) / 20)
    assert 0.8 < flags[films.sick].mean() <= 1


def test_figures_are_told_by_view_and_group_with_intervals() -> None:
    films, copies = made_films(of_view=1.0), made_films(40, seed=9)
    healthy = copies.at(~copies.sick)
    populations = fitted(films, healthy)
    assert [(each.name, each.views) for each in populations] == [
        ("adults-pa", ("PA",)),
        ("adults-ap", ("AP",)),
    ]
    assert len({each.threshold for each in populations}) == 1
    for population in populations:
        (view,) = population.views
        evidence, of_view = population.evidence, films.views == view
        assert (evidence.films, evidence.patients) == (240, 120)
        assert population.prevalence == pytest.approx(films.sick.mean())
        everything, normal = evidence.groups[EVERYTHING_ELSE], evidence.groups["normal"]
        assert everything.sick == int((films.sick & of_view).sum())
        assert everything.others == int((~films.sick & of_view).sum())
        assert normal.others == int(((films.classes == "normal") & of_view).sum())
        assert evidence.groups["AP, PA: everything else"].sick == evidence.sick
        for figure in (everything.auc, everything.sensitivity, everything.specificity):
            assert figure is not None
            assert 0 <= figure.low <= figure.value <= figure.high <= 1
        at_10, at_30 = everything.predictive
        assert at_10.ppv is not None
        assert at_30.ppv is not None
        assert (at_10.prevalence, at_10.ppv.value < at_30.ppv.value) == (0.1, True)
        of_copies = evidence.groups[COPIES]
        assert (of_copies.auc, of_copies.sensitivity, of_copies.predictive) == (None, None, ())
        assert of_copies.specificity is not None
        assert of_copies.others == int((healthy.views == view).sum())


def test_figures_are_those_of_their_definitions() -> None:
    films = made_films(60, seed=5)
    flagged = (films.logits > -1).astype(np.float64)
    figures = group_figures(films, flagged, seed=1)
    expected = evaluation_figures(
        films.sick.astype(int), sigmoid(films.logits), float(sigmoid(-1.0)), 0.1
    )
    assert figures.auc is not None
    assert figures.sensitivity is not None
    assert figures.specificity is not None
    ppv, npv = figures.predictive[0].ppv, figures.predictive[0].npv
    assert ppv is not None
    assert npv is not None
    assert figures.auc.value == pytest.approx(expected["auc"])
    assert figures.sensitivity.value == pytest.approx(expected["sensitivity"])
    assert figures.specificity.value == pytest.approx(expected["specificity"])
    assert (ppv.value, npv.value) == pytest.approx((expected["ppv"], expected["npv"]))


def test_too_few_films_and_a_reversed_ranking_are_named() -> None:
    films = made_films()
    some_sick = np.flatnonzero(films.sick)[:29]
    few = films.at(np.concatenate([some_sick, np.flatnonzero(~films.sick)]))
    with pytest.raises(Misconfigured, match="29 films of this population show an opacity"):
        fitted(few)
    with pytest.raises(Misconfigured, match="no calibration mends that"):
        fitted(made_films(of_class=-2.0))


def test_a_population_is_written_into_an_ensemble_that_nobody_uses(
    shipped_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    shutil.copy(shipped_folder / "manifest.json", folder)
    before = load_manifest(folder)
    check_writable(folder, known=False)
    first = with_populations(before, [a_population()])
    write_manifest(folder, with_populations(first, [a_population(threshold=0.7)]))
    after = load_manifest(folder)
    assert [each.threshold for each in after.populations if each.name == "adults"] == [0.7]
    assert after.model_copy(update={"populations": before.populations}) == before
    with pytest.raises(Misconfigured, match="came with ReadFirst"):
        check_writable(shipped_folder, known=False)
    with pytest.raises(Misconfigured, match="a version never changes"):
        check_writable(folder, known=True)
    unstated = before.model_copy(update={"prevalence": None})
    with pytest.raises(Misconfigured, match="does not say which share"):
        with_populations(unstated, [a_population()])
