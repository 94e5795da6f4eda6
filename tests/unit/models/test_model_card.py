"""A model card says what a manifest says, all of it, and "not known" where it says nothing."""

import json
from pathlib import Path

import pytest
from pydantic_core import to_json
from typer.testing import CliRunner

from cli import app
from models.cards.card import OWN_PARTS, ModelCard, model_card
from models.cards.evaluations import read_evaluations
from models.cards.markdown import to_markdown
from models.manifest import (
    SHIPPED,
    AcquisitionResult,
    ChangedFigure,
    EnsembleMember,
    Estimate,
    Manifest,
    Metrics,
    OperatingPoint,
    PixelCheck,
    PlattScaling,
    Recalibration,
    find_ensembles,
    load_manifest,
    shipped_version,
)
from readfirst.domain import Ages
from readfirst.errors import Misconfigured
from readfirst.language.languages import language_of
from readfirst.language.texts import speaking
from readfirst.studies.marks import MARK_SENTENCES, MarkCode

HALF = Estimate(value=0.5, low=0.25, high=0.75)
MEMBER = EnsembleMember(
    name="one", network="net", file="one.safetensors", sha256="a1", input_size=96, parameters=1234,
    weight=1.0,
)  # fmt: skip
METRICS = Metrics(
    images=90, patients=80, pneumonia=30, auc=HALF, sensitivity=HALF, specificity=HALF,
    accuracy=HALF, f1=HALF, ppv=None, npv=None, prevalence=0.2, ece=HALF,
)  # fmt: skip
#: The least that a manifest of a site may say.
LEAST = Manifest(
    version="s1",
    created="2026-01-02T03:04:05+00:00",
    preprocessing_version="1",
    members=(MEMBER,),
    calibration=PlattScaling(slope=1.5, intercept=-0.25),
    threshold=0.625,
    operating_point=OperatingPoint(method="", images=40, patients=30),
    metrics=METRICS,
    training="",
    population="",
    source="",
    licence="",
    disclaimer="Research software.",
)
RECALIBRATION = Recalibration(
    ensemble="s0", slope=2.0, intercept=0.5, studies=300, patients=280, pneumonia=60, blind=10,
    influenced=290, folds=5, auc=HALF,
    figures={"ece": ChangedFigure(before=HALF, after=HALF, difference=HALF)},
)  # fmt: skip
CHECK = PixelCheck(
    network="check", file="check.safetensors", sha256="c1", input_size=64, parameters=99,
    threshold=0.5, false_refusals=HALF, caught={"hands": 0.9, "noise": 1.0, "screens": 1.0},
    sources={"clinic": Estimate(value=0.0, low=0.0, high=0.021)},
)  # fmt: skip
FULL = LEAST.model_copy(
    update={
        "ages": Ages(2, 9),
        "prevalence": 0.4,
        "pixel_check": CHECK,
        "recalibration": RECALIBRATION,
        "population": "Children of Cusco | *frontal* films <b>.",
        "operating_point": OperatingPoint(
            method="a quantile",
            images=40,
            patients=30,
            stated_sensitivity=0.95,
            miss_cost=2.0,
            acquisitions={"tight": AcquisitionResult(sensitivity=0.875, specificity=0.75)},
        ),
    }
)


def shipped() -> Manifest:
    return load_manifest(find_ensembles([SHIPPED])[shipped_version()])


def read(path: Path, version: str = "s1") -> str:
    return to_markdown(model_card(LEAST, read_evaluations(path, version)))


def test_a_manifest_that_says_little_gives_a_card_that_claims_nothing() -> None:
    text = to_markdown(model_card(LEAST))
    for line in (
        "# Model card of ensemble s1",
        "Ages: not known.",
        "- Source: not known",
        "- Licence of the weights: not known",
        "The threshold is 0.625. It was chosen on 40 films of 30 patients: not known.",
        "| Positive predictive value | not known | – |",
        "Share of pneumonia that its probabilities presuppose: not known.",
        "Nothing: it has no pixel check.",
        "- It is a single network: no other one can disagree with it.",
        "- The ages of its patients are not known: no score counts as validated.",
        f"- {MARK_SENTENCES[MarkCode.POPULATION_UNKNOWN]}",
    ):
        assert line in text.splitlines()
    assert MARK_SENTENCES[MarkCode.ADULT] not in text
    assert "Further parts" not in text
    assert "None" not in text


def test_all_that_a_manifest_says_is_on_the_card() -> None:
    text = to_markdown(model_card(FULL))
    for line in (
        "Children of Cusco \\| \\*frontal\\* films \\<b>.",
        "Ages: 2 to 9 years, both included.",
        "| one | net | 96 x 96 | 1,234 | 100 % | 1 |",
        "| Sensitivity | 0.500 | 0.250–0.750 |",
        "Sensitivity that was aimed at: 95.0 %.",
        "False alarms that one missed pneumonia weighs: 2.",
        "| tight | 0.875 | 0.750 |",
        "| 100 % | noise, screens |",
        "| 90 % | hands |",
        "| clinic | 0 % | 0 %–2.1 % |",
        "- The pixel check lets other images through: at worst 10 % of a kind (hands).",
        "| Calibration error | 0.500 (0.250–0.750) | 0.500 (0.250–0.750) | 0.500 (0.250–0.750) |",
        "| check.safetensors | c1 |",
        f"- {MARK_SENTENCES[MarkCode.ADULT]}",
    ):
        assert line in text.splitlines()
    assert "presuppose that 40 % of the films" in text
    assert "Its networks are those of ensemble s0." in text
    assert MARK_SENTENCES[MarkCode.POPULATION_UNKNOWN] not in text


def test_a_part_that_the_card_has_no_words_for_is_on_it_all_the_same() -> None:
    later = model_card(FULL).model_copy(
        update={
            "others": {
                "age_groups": [{"name": "adults", "from_years": 18, "auc": HALF.model_dump()}],
                "method": "by distance",
            }
        }
    )
    text = to_markdown(later)
    assert "**age groups**" in text
    assert "| adults: auc | 0.5 (0.25–0.75) |" in text
    assert "| adults: from years | 18 |" in text
    assert "**method**" in text
    assert "by distance |" in text


def test_each_field_of_a_manifest_has_its_part_or_is_among_the_others() -> None:
    assert set(Manifest.model_fields) >= OWN_PARTS
    manifest = shipped()
    others = model_card(manifest).others
    filled = {name for name, value in manifest.model_dump(mode="json").items() if value}
    assert filled == set(others) | (filled & OWN_PARTS)


def test_the_card_is_json_with_numbers_and_back() -> None:
    card = model_card(FULL)
    assert ModelCard.model_validate_json(to_json(card)) == card
    content = json.loads(to_json(card))
    assert content["metrics"]["auc"] == {"value": 0.5, "low": 0.25, "high": 0.75}
    assert content["ages"] == {"from_years": 2, "to_years": 9}
    assert content["sha256"] == {"one.safetensors": "a1", "check.safetensors": "c1"}
    assert content["parameters"] == 1234


def test_it_is_in_the_readers_language_and_the_manifests_sentences_stay() -> None:
    with speaking(language_of("de")):
        text = to_markdown(model_card(FULL))
    assert "# Modellkarte des Ensembles s1" in text
    assert "Children of Cusco" in text
    assert "| Sensitivität | 0,500 | 0,250–0,750 |" in text


def test_figures_of_an_evaluation_stand_beside_those_of_the_manifest(tmp_path: Path) -> None:
    group = {
        "group": "viral", "pneumonia": True, "images": 20, "patients": 18, "flagged": 15,
        "right": 0.75, "low": 0.53, "high": 0.89, "auc": 0.91, "share_flagged": 0.75,
    }  # fmt: skip
    model = {"threshold": 0.625, "metrics": METRICS.model_dump(), "subgroups": [group]}
    path = tmp_path / "ward" / "report.json"
    path.parent.mkdir()
    others = [model | {"name": "s1"}, model | {"name": "s9"}]
    path.write_text(json.dumps({"disclaimer": "", "models": others}))
    text = read(path)
    assert text.count("**ward: 90 films, 30 with pneumonia, 80 patients**") == 1
    assert "| viral (pneumonia) | 20 | 18 | 0.750 | 0.530–0.890 | 0.910 |" in text
    figures = tmp_path / "elsewhere.json"
    figures.write_text(METRICS.model_dump_json())
    assert "**elsewhere: 90 films, 30 with pneumonia, 80 patients**" in read(figures)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "is no report of"),
        ("7", "is no report of"),
        ("{", "is no report of"),
        ('{"models": [{}]}', "is no report of"),
        ('{"models": []}', "has no figures of s1"),
    ],
)
def test_what_is_no_evaluation_of_it_says_so(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(Misconfigured, match=words):
        read_evaluations(path, "s1")


def test_the_command_writes_markdown_and_json(tmp_path: Path) -> None:
    environment = {"READFIRST_HOME": str(tmp_path / "home")}
    version = shipped_version()

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["models", "card", *arguments], env=environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert run(version) == to_markdown(model_card(shipped())) == run()
    assert json.loads(run(version, "--json"))["version"] == version
    for option, suffix in (((), "md"), (("--json",), "json")):
        path = tmp_path / f"card.{suffix}"
        assert run(version, "--output", str(path), *option) == ""
        assert path.read_text().strip() == run(version, *option).strip()
    unknown = CliRunner().invoke(app, ["models", "card", "none-such"], env=environment)
    assert "There is no ensemble none-such" in str(unknown.exception)
