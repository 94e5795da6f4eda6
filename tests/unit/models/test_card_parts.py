"""The parts of a card that only some ensembles have."""

from models.cards.card import model_card
from models.cards.layout import END, ISOLATE, quoted, text_parts, without_marks
from models.cards.markdown import to_markdown
from models.manifest import Adaptation, ChangedFigure, Estimate, Manifest
from models.unlike.manifest_part import MarkedShare, UnlikeCheck, UnlikeFigures
from readfirst.language.languages import language_of
from readfirst.language.texts import speaking
from tests.support.populations import a_population
from tests.unit.models.test_model_card import FULL

BEFORE, AFTER = Estimate(value=0.2, low=0.1, high=0.3), Estimate(value=0.1, low=0.05, high=0.15)
CHANGED = ChangedFigure(before=BEFORE, after=AFTER, difference=AFTER)
ADAPTATION = Adaptation(
    ensemble="s0", level="linear_layer", on="films", films=400, patients=390, pneumonia=120,
    folds=5, strength=1.0, layer_gain=None, left_out={"refused by the pixel check": 3},
    figures={"linear_layer": {"cost": CHANGED}, "calibration": {"ece": CHANGED}},
)  # fmt: skip
UNLIKE = UnlikeCheck(
    member="one", layer="block5", cells=2, file="unlike.safetensors", sha256="u1", threshold=1.5,
    method="a contrast", false_marks=0.01,
    figures=UnlikeFigures(
        acquisitions={"tight": MarkedShare(films=400, marked=4, low=0.004, high=0.026)},
        elsewhere={"clinic, adults AP": MarkedShare(films=50, marked=40, low=0.67, high=0.89)},
    ),
)  # fmt: skip


def lines_of(**parts: object) -> list[str]:
    manifest: Manifest = FULL.model_copy(update=parts)
    return to_markdown(model_card(manifest)).splitlines()


def test_each_further_population_has_a_section_with_its_own_figures() -> None:
    lines = lines_of(populations=(a_population(), a_population("adolescents", views=())))
    for line in (
        "## Further population: adults",
        "Ages: 18 to 115 years, both included. Views: AP, PA.",
        "## Further population: adolescents",
        "Ages: 18 to 115 years, both included. Views: all frontal ones.",
        "| everything else | 53 / 102 | 0.800 (0.700–0.900) | 0.900 (0.800–1.000) "
        "| 0.500 (0.400–0.600) |",
        "| normal | 10 % | 0.170 (0.100–0.200) | 0.800 (0.700–0.900) |",
    ):
        assert line in lines
    assert any("flagged from 0.400 on, for the finding lung opacity." in line for line in lines)
    assert "## Further parts" not in lines


def test_an_adapted_ensemble_says_to_what_it_was_fitted() -> None:
    lines = lines_of(adaptation=ADAPTATION, recalibration=None)
    for line in (
        "## Fitted to a site's own films",
        "Films left out: refused by the pixel check: 3.",
        "| Cost | 0.200 (0.100–0.300) | 0.100 (0.050–0.150) | 0.100 (0.050–0.150) |",
        "**Films of the site**",
    ):
        assert line in lines
    assert any("and the last layer of each network" in line for line in lines)
    assert not any("held-out films, 30 of them" in line for line in lines)
    assert not any(line.startswith("| Calibration error | 0.200") for line in lines)


def test_what_is_unlike_stands_with_how_much_of_what_is_marked() -> None:
    lines = lines_of(unlike=UNLIKE)
    for line in (
        "## Films unlike the validated ones",
        "| tight | 400 | 1.0 % | 0.4 %–2.6 % |",
        "| clinic, adults AP | 50 | 80 % | 67 %–89 % |",
        "| unlike.safetensors | u1 |",
    ):
        assert line in lines
    limit = "- It does not tell from the pixels whether a film is unlike the validated ones."
    assert limit not in lines
    assert limit in lines_of()


def test_it_is_in_the_readers_language_too() -> None:
    with speaking(language_of("de")):
        lines = lines_of(unlike=UNLIKE)
    assert "## Aufnahmen, die den validierten unähnlich sind" in lines


def test_a_quote_stands_apart_and_cannot_end_itself() -> None:
    text = f"Method: {quoted(f'as {END}it{ISOLATE} is')}."
    assert list(text_parts(text)) == [("Method: ", False), ("as it is", True), (".", False)]
    assert without_marks(text) == "Method: as it is."
    assert quoted("") == ""
