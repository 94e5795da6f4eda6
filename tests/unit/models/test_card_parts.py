"""The parts of a card that only some ensembles have."""

from models.cards.card import model_card
from models.cards.markdown import to_markdown
from models.manifest import Manifest
from models.unlike.manifest_part import MarkedShare, UnlikeCheck, UnlikeFigures
from readfirst.language.languages import language_of
from readfirst.language.texts import speaking
from tests.unit.models.test_model_card import FULL

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
