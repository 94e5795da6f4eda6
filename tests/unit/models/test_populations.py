"""The population of a film, and its score as that population states it."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.combining import calibrated, combine, sigmoid
from models.manifest import Manifest, PlattScaling, load_manifest
from models.populations.applying import LogitScaling, Populations
from readfirst.domain import AgeAndView, Ages, ImageScore
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.studies.prevalence import at_prevalence
from tests.support.populations import a_population

CHILDREN = Ages(1, 5)
FIRST = LogitScaling(2.0, 1.5)
ADULTS = a_population()
TEENS = a_population("teens", ages=Ages(6, 17), views=("PA",))
POPULATIONS = Populations(FIRST, CHILDREN, 0.75, (TEENS, ADULTS))


@pytest.mark.parametrize(
    ("years", "view", "expected"),
    [
        (None, None, None),
        (None, "PA", None),
        (0, "AP", None),
        (1, "AP", None),
        (5, "PA", None),
        (6, "PA", "teens"),
        (6, "AP", None),
        (17, None, "teens"),
        (17, "", "teens"),
        (18, "AP", "adults"),
        (40, "PA", "adults"),
        (40, None, "adults"),
        (40, "pa", "adults"),
        (40, "AP SUPINE", "adults"),
        (40, "postero-anterior", "adults"),
        (40, "Antero-posterior", "adults"),
        (40, "PA\\AP", "adults"),
        (40, "LL", None),
        (40, "LATERAL", None),
        (40, "ERECT", None),
        (115, "AP", "adults"),
        (116, "AP", None),
    ],
)
def test_age_and_view_decide_the_population(
    years: int | None, view: str | None, expected: str | None
) -> None:
    population = POPULATIONS.of(AgeAndView(years, view))
    assert (population.name if population else None) == expected


def test_where_the_first_population_knows_no_ages_the_others_still_apply() -> None:
    populations = Populations(FIRST, None, 0.75, (ADULTS,))
    assert populations.of(AgeAndView(3, "AP")) is None
    assert populations.of(AgeAndView(30, "AP")) is ADULTS


probabilities = st.floats(1e-9, 1 - 1e-9)


@given(st.lists(st.floats(-12, 12), min_size=3, max_size=3), st.floats(0.05, 0.95))
def test_a_score_is_what_the_other_calibration_would_have_made_of_the_logits(
    logits: list[float], presupposed: float
) -> None:
    populations = Populations(FIRST, CHILDREN, presupposed, (ADULTS,))
    weights = [0.5, 0.3, 0.2]

    def by(first: LogitScaling) -> ImageScore:
        scaling = PlattScaling(slope=first.slope, intercept=first.intercept)
        of_members = [calibrated(each, scaling) for each in logits]
        each = {str(n): float(sigmoid(value)) for n, value in enumerate(of_members)}
        combined = combine([[value] for value in of_members], weights)
        return ImageScore(float(sigmoid(combined)[0]), each)

    stated = populations.stated(by(FIRST), AgeAndView(40, "PA"))
    own = by(LogitScaling(ADULTS.slope, ADULTS.intercept))
    assert stated.population == "adults"
    # As every score of an ensemble, for the share that its probabilities presuppose.
    expected = at_prevalence(own.probability, ADULTS.prevalence, presupposed)
    assert stated.probability == pytest.approx(expected, abs=1e-4)
    for name, value in own.members.items():
        expected = at_prevalence(value, ADULTS.prevalence, presupposed)
        assert stated.members[name] == pytest.approx(expected, abs=1e-4)
    if not math.isclose(own.probability, ADULTS.threshold, rel_tol=1e-3):
        flagged = stated.probability >= populations.thresholds["adults"]
        assert flagged == (own.probability >= ADULTS.threshold)


@given(probabilities, probabilities)
def test_the_order_of_the_films_of_a_population_stays(first: float, second: float) -> None:
    film = AgeAndView(40, "AP")
    stated = [POPULATIONS.stated(ImageScore(p, {}), film) for p in sorted((first, second))]
    assert stated[0].probability <= stated[1].probability
    assert all(0 < score.probability < 1 for score in stated)


def test_what_is_of_the_first_population_or_refused_stays_as_it_is() -> None:
    child, refused = ImageScore(0.7, {"cnn": 0.7}), Refused(RefusalCode.NOT_A_CHEST_RADIOGRAPH)
    adult = ImageScore(0.7, {"cnn": 0.7})
    films = [AgeAndView(3, "AP"), AgeAndView(40, "AP"), AgeAndView(40, "AP"), AgeAndView()]
    results = POPULATIONS.all_stated([child, refused, adult, child], films)
    assert results[0] is child
    assert results[1] is refused
    assert isinstance(results[2], ImageScore)
    assert (results[2].population, results[2].probability != 0.7) == ("adults", True)
    assert results[3] is child


def test_a_certain_probability_stays_certain() -> None:
    for value in (0.0, 1.0):
        score = POPULATIONS.stated(ImageScore(value, {"cnn": value}), AgeAndView(40))
        assert (score.probability, score.members) == (value, {"cnn": value})


def test_an_older_manifest_has_its_first_population_alone(shipped_folder: Path) -> None:
    text = (shipped_folder / "manifest.json").read_text()
    manifest = Manifest.model_validate_json(text)
    assert manifest.model_copy(update={"populations": ()}).stated_populations.others == ()


def test_populations_go_into_a_manifest_and_come_back(shipped_folder: Path) -> None:
    manifest = load_manifest(shipped_folder).model_copy(update={"populations": (TEENS, ADULTS)})
    again = Manifest.model_validate_json(manifest.model_dump_json())
    assert again.populations == (TEENS, ADULTS)
    populations = again.stated_populations
    assert set(populations.thresholds) == {"teens", "adults"}
    assert populations.calibration.slope == manifest.calibration.slope


@pytest.mark.parametrize("name", ["adults", "all"])
def test_names_of_populations_are_told_apart(shipped_folder: Path, name: str) -> None:
    manifest = load_manifest(shipped_folder)
    wrong = {"populations": (ADULTS, a_population(name))}
    text = manifest.model_copy(update=wrong).model_dump_json()
    with pytest.raises(ValueError, match="name of its own"):
        Manifest.model_validate_json(text)
